// SPDX-License-Identifier: GPL-2.0-or-later
// Reads and rewrites golden scripts: "# comment" lines, a command with its arguments, "----", the
// expected output, an empty line. CORACLE_REWRITE=1 writes what came out instead of comparing.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace coracle::testing {

// `run` gets the command's lines and returns its output, each line ended.
template <class Run>
void run_golden(const std::filesystem::path& path, Run&& run) {
  std::ifstream in(path);
  ASSERT_TRUE(in) << path;
  std::string rewritten;
  std::string line;
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') {
      rewritten += line + "\n";
      continue;
    }
    std::vector<std::string> command{line};
    while (std::getline(in, line) && line != "----")
      command.push_back(line);
    std::string expected;
    while (std::getline(in, line) && !line.empty())
      expected += line + "\n";
    const std::string actual = run(command);
    for (const std::string& part : command)
      rewritten += part + "\n";
    rewritten += "----\n" + actual + "\n";
    if (std::getenv("CORACLE_REWRITE") == nullptr) {
      std::string shown;
      for (const std::string& part : command)
        shown += part + "\n";
      EXPECT_EQ(expected, actual) << path << ":\n" << shown;
    }
  }
  if (std::getenv("CORACLE_REWRITE") == nullptr) return;
  while (rewritten.ends_with("\n\n"))
    rewritten.pop_back();
  std::ofstream(path) << rewritten;
}

inline std::vector<std::filesystem::path> golden_files(const char* folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace coracle::testing
