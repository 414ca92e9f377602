// SPDX-License-Identifier: GPL-2.0-or-later
// `coracle status`: node and Pods as tables, made from the server's own Table answers.
#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "daemon/api_session.h"
#include "daemon/cli.h"
#include "daemon/control.h"
#include "json/tree.h"

namespace coracle::daemon {

namespace {

constexpr const char* kTable = "application/json;as=Table;v=v1;g=meta.k8s.io";

std::string cell_text(json::Node cell) {
  if (cell.is_string()) return std::string(cell.string());
  if (cell.is_null()) return {};
  return json::write(cell);
}

using Lines = std::vector<std::vector<std::string>>;

Lines table_lines(json::Node table, bool with_namespace) {
  Lines lines;
  std::vector<std::string> head;
  if (with_namespace) head.emplace_back("NAMESPACE");
  for (const json::Node column : table["columnDefinitions"]) {
    if (column["priority"].integer() > 0) continue;
    std::string name(column["name"].string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    head.push_back(std::move(name));
  }
  lines.push_back(std::move(head));
  for (const json::Node row : table["rows"]) {
    std::vector<std::string> line;
    if (with_namespace) line.emplace_back(row["object"]["metadata"]["namespace"].string());
    for (const json::Node cell : row["cells"]) {
      if (line.size() < lines[0].size()) line.push_back(cell_text(cell));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

void print_lines(const Lines& lines) {
  std::vector<size_t> widths;
  for (const auto& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], line[i].size());
  }
  for (const auto& line : lines) {
    std::string out;
    for (size_t i = 0; i < line.size(); ++i) {
      out += line[i];
      if (i + 1 < line.size()) out.append(widths[i] + 3 - line[i].size(), ' ');
    }
    print(out + "\n");
  }
}

Result<> show(ApiSession& session, const std::string& path, bool with_namespace) {
  const std::string text = TRY(session.get(path, {}, kTable));
  json::Tree tree;
  const json::Node table = TRY(tree.parse(text));
  if (table["rows"].size() == 0)
    print("(none)\n");
  else
    print_lines(table_lines(table, with_namespace));
  return {};
}

}  // namespace

Result<int> run_status(const Arguments& arguments) {
  port_linux::Machine machine;
  const std::string control = control_path(arguments.config.run_dir);
  for (const auto& words : {std::vector<std::string>{"standing"}, {"member", "list"}}) {
    if (const auto text = ask_daemon(machine, control, words)) print(*text + "\n");
  }
  const auto session = TRY(ApiSession::open(machine, arguments.config.kubeconfig));
  print("Nodes\n");
  TRY(show(*session, "/api/v1/nodes", false));
  print("\nPods\n");
  TRY(show(*session, "/api/v1/pods", true));
  return 0;
}

}  // namespace coracle::daemon
