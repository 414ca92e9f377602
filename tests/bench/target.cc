// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/target.h"

#include <unistd.h>

#include "base/bytes.h"
#include "json/tree.h"

namespace coracle::bench {

namespace {

Result<std::string> inline_pem(json::Node holder, std::string_view name) {
  auto pem = from_base64(holder[name].string());
  if (!pem || pem->empty()) return fail(Code::kBadRequest, join({"no ", name}));
  return std::move(*pem);
}

Result<port::Endpoint> endpoint_of(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  const size_t colon = url.rfind(':');
  const auto port = parse_unsigned(url.substr(colon + 1));
  if (!url.starts_with(kScheme) || !port || *port > 65535)
    return fail(Code::kBadRequest, "server is not https://address:port");
  const std::string_view host = url.substr(kScheme.size(), colon - kScheme.size());
  return port::Endpoint{std::string(host), static_cast<uint16_t>(*port)};
}

std::string proc(uint64_t pid, std::string_view file) {
  return join({"/proc/", std::to_string(pid), "/", file});
}

// The number behind `key` in a file of lines "key: number unit".
double number_behind(const Result<std::string>& text, std::string_view key) {
  if (!text) return 0;
  for (const std::string_view line : split(*text, '\n')) {
    if (!line.starts_with(key)) continue;
    const std::string_view rest = trim(line.substr(key.size()));
    return static_cast<double>(parse_unsigned(rest.substr(0, rest.find(' '))).value_or(0));
  }
  return 0;
}

// utime and stime: columns 14 and 15, counted from behind the name, which may hold spaces.
double cpu_ticks(const Result<std::string>& text) {
  if (!text) return 0;
  const size_t name_end = text->rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text->size()) return 0;
  const auto columns = split(std::string_view(*text).substr(name_end + 2), ' ');
  if (columns.size() < 13) return 0;
  return static_cast<double>(parse_unsigned(columns[11]).value_or(0) +
                             parse_unsigned(columns[12]).value_or(0));
}

// Columns of /proc/diskstats (Linux, Documentation/admin-guide/iostats.rst).
constexpr size_t kSectorsWritten = 9;
constexpr size_t kFlushes = 18;  // since Linux 5.5
constexpr double kSectorBytes = 512;

void add_device(const Result<std::string>& text, std::string_view device, Cost& cost) {
  if (!text || device.empty()) return;
  for (const std::string_view line : split(*text, '\n')) {
    std::vector<std::string_view> columns = split(line, ' ');
    std::erase_if(columns, [](std::string_view column) { return column.empty(); });
    if (columns.size() <= kSectorsWritten || join({columns[0], ":", columns[1]}) != device)
      continue;
    const auto number = [&columns](size_t i) {
      return i < columns.size() ? static_cast<double>(parse_unsigned(columns[i]).value_or(0)) : 0;
    };
    cost.device_bytes = number(kSectorsWritten) * kSectorBytes;
    cost.device_flushes = number(kFlushes);
  }
}

}  // namespace

Result<Target> read_kubeconfig(port_linux::Machine& machine, const std::string& path) {
  const std::string text = TRY(machine.disk().read_file(path));
  json::Tree tree;
  const json::Node root = TRY(tree.parse_yaml(text).with(path));
  const json::Node cluster = root["clusters"].at(0)["cluster"];
  const json::Node user = root["users"].at(0)["user"];
  Target target;
  target.server = TRY(endpoint_of(cluster["server"].string()).with(path));
  http::TlsClientOptions options;
  options.ca_pem = TRY(inline_pem(cluster, "certificate-authority-data").with(path));
  options.certificate_pem = TRY(inline_pem(user, "client-certificate-data").with(path));
  options.key_pem = TRY(inline_pem(user, "client-key-data").with(path));
  options.server_name = target.server.host;
  target.tls = TRY(http::make_tls_client(options, machine.random()));
  options.http2 = true;
  target.tls_http2 = TRY(http::make_tls_client(options, machine.random()));
  return target;
}

Cost cost_of(port::Disk& disk, uint64_t pid, std::string_view device) {
  if (pid == 0) return {};
  const auto status = disk.read_file(proc(pid, "status"));
  Cost cost;
  cost.cpu_us = cpu_ticks(disk.read_file(proc(pid, "stat"))) * 1e6 /
                static_cast<double>(::sysconf(_SC_CLK_TCK));
  add_device(disk.read_file("/proc/diskstats"), device, cost);
  cost.rss_kib = number_behind(status, "VmRSS:");
  cost.rss_peak_kib = number_behind(status, "VmHWM:");
  return cost;
}

void forget_peak(port::Disk& disk, uint64_t pid) {
  static_cast<void>(disk.write_file(proc(pid, "clear_refs"), "5", 0600));  // needs root
}

}  // namespace coracle::bench
