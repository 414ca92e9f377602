// SPDX-License-Identifier: GPL-2.0-or-later
// `coracle check`: what the kernel and the machine have of what pods need, with the remedy for what
// is missing.
#include <algorithm>
#include <vector>

#include <unistd.h>

#include "base/bytes.h"
#include "daemon/cli.h"
#include "daemon/runtime_version.h"
#include "port/linux/kernel_check.h"
#include "port/linux/machine.h"

namespace coracle::daemon {

namespace {

using port_linux::Finding;

constexpr size_t kStateWidth = 10;

// The data directory, or the nearest directory above it that is there: the same file system.
std::string existing_directory(port::Disk& disk, std::string path) {
  while (path.size() > 1 && !disk.stat(path)) {
    const size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : std::max<size_t>(slash, 1));
  }
  return path.empty() ? "." : path;
}

Finding find_runtime(port_linux::Machine& machine, const Config& config) {
  Finding finding{"crun", "", true, true, {}, {}};
  finding.detail = runtime_version(machine, config.crun, config.data_dir);
  if (finding.detail != "unknown") return finding;
  finding.present = false;
  finding.detail = config.crun.empty() ? "not found" : join({"not found at ", config.crun});
  finding.remedy =
      "install crun (Debian: apt install crun; Buildroot: BR2_PACKAGE_CRUN), or set --crun";
  return finding;
}

std::string_view state(const Finding& finding) {
  if (finding.present) return "ok";
  return finding.needed ? "MISSING" : "limited";
}

std::string padded(std::string_view text, size_t width) {
  std::string out(text);
  return out.append(out.size() < width ? width - out.size() : 0, ' ');
}

void print_findings(const std::vector<Finding>& findings) {
  size_t feature_width = std::string_view("FEATURE").size();
  size_t symbol_width = std::string_view("KERNEL OPTIONS").size();
  for (const Finding& finding : findings) {
    feature_width = std::max(feature_width, finding.feature.size());
    symbol_width = std::max(symbol_width, finding.symbol.size());
  }
  feature_width += 3;
  symbol_width += 3;
  print(join({padded("FEATURE", feature_width), padded("STATE", kStateWidth),
              padded("KERNEL OPTIONS", symbol_width), "NOTE\n"}));
  for (const Finding& finding : findings) {
    std::string line =
        join({padded(finding.feature, feature_width), padded(state(finding), kStateWidth),
              padded(finding.symbol, symbol_width), finding.detail});
    line.resize(line.find_last_not_of(' ') + 1);
    print(line + "\n");
    if (finding.remedy.empty()) continue;
    print(join({padded("", feature_width), "remedy: ", finding.remedy, "\n"}));
  }
}

}  // namespace

Result<int> run_check(const Arguments& arguments) {
  if (::geteuid() != 0)
    return fail(Code::kForbidden, "must be run as root: features are tried by using them");
  std::string scratch;
  {
    port_linux::Machine machine;
    scratch = existing_directory(machine.disk(), arguments.config.data_dir);
  }
  std::vector<Finding> findings = port_linux::check_kernel(scratch);
  port_linux::Machine machine;  // only now: probes are forks of a process without threads
  findings.push_back(find_runtime(machine, arguments.config));
  print_findings(findings);
  const auto lacks = [&](bool needed) {
    return std::count_if(findings.begin(), findings.end(), [needed](const Finding& finding) {
      return !finding.present && finding.needed == needed;
    });
  };
  print(
      join({"\n", std::to_string(findings.size()), " features tried: ", std::to_string(lacks(true)),
            " missing, ", std::to_string(lacks(false)), " limited\n"}));
  return lacks(true) > 0 ? 1 : 0;
}

}  // namespace coracle::daemon
