// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/layout.h"

#include <algorithm>

#include "api/processing.h"
#include "base/bytes.h"

namespace coracle::daemon {

namespace {

constexpr uint8_t kNodePrefix = 24;  // of the pods of one node

Result<Cidr4> cidr(std::string_view option, const std::string& text) {
  const auto parsed = parse_cidr4(text);
  if (!parsed)
    return fail(Code::kBadRequest, join({option, ": \"", text, "\" is not an IPv4 network"}));
  return Cidr4{parsed->network(), parsed->prefix};
}

Result<Ip4> address(std::string_view option, const std::string& text) {
  const auto parsed = parse_ip4(text);
  if (!parsed)
    return fail(Code::kBadRequest, join({option, ": \"", text, "\" is not an IPv4 address"}));
  return *parsed;
}

bool is_loopback(Ip4 ip) {
  return ip.value >> 24 == 127;
}

Result<Ip4> find_node_ip(const Config& config, port::Links& links) {
  if (!config.node_ip.empty()) return address("node-ip", config.node_ip);
  for (const port::HostAddress& candidate : TRY(links.addresses())) {
    if (candidate.link != config.bridge) return candidate.address.address;
  }
  return Ip4{0x7F000001};
}

Result<> check_networks(const Layout& layout) {
  const auto inside = [](const Cidr4& outer, const Cidr4& inner) {
    return inner.prefix >= outer.prefix && outer.contains(inner.address);
  };
  if (!inside(layout.cluster_cidr, layout.node_cidr))
    return fail(Code::kBadRequest, "node-cidr must lie inside cluster-cidr");
  if (layout.node_cidr.prefix > 29)
    return fail(Code::kBadRequest, "node-cidr: too small for pods, /29 at least");
  if (inside(layout.cluster_cidr, layout.service_cidr) ||
      inside(layout.service_cidr, layout.cluster_cidr)) {
    return fail(Code::kBadRequest, "service-cidr and cluster-cidr overlap");
  }
  if (!layout.service_cidr.contains(layout.cluster_dns))
    return fail(Code::kBadRequest, "cluster-dns must lie inside service-cidr");
  return {};
}

void name_server(const Config& config, Layout& layout) {
  layout.server_names = {"localhost",
                         layout.node_name,
                         "kubernetes",
                         "kubernetes.default",
                         "kubernetes.default.svc",
                         join({"kubernetes.default.svc.", config.cluster_domain})};
  layout.server_addresses = {Ip4{0x7F000001}, layout.node_ip, layout.gateway,
                             Ip4{layout.service_cidr.address.value + 1}};
  if (layout.bind_address.value != 0) layout.server_addresses.push_back(layout.bind_address);
  for (const std::string& extra : config.tls_san) {
    if (const auto ip = parse_ip4(extra))
      layout.server_addresses.push_back(*ip);
    else
      layout.server_names.push_back(extra);
  }
  for (auto* list : {&layout.server_addresses}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
}

}  // namespace

Result<std::string> find_node_name(const Config& config, port::Disk& disk) {
  std::string name = config.node_name;
  if (name.empty())
    name = std::string(trim(TRY(disk.read_file("/proc/sys/kernel/hostname").with("host name"))));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  const std::string problem = api::dns1123_subdomain_problem(name);
  if (!problem.empty())
    return fail(Code::kBadRequest, join({"node-name: \"", name, "\": ", problem}));
  return name;
}

bool has_address(port::Links& links, Ip4 address) {
  const auto all = links.addresses();
  if (!all) return true;
  return std::any_of(all->begin(), all->end(), [&](const port::HostAddress& each) {
    return each.address.address == address;
  });
}

Result<Layout> make_layout(const Config& config, port::Disk& disk, port::Links& links) {
  Layout layout;
  layout.node_name = TRY(find_node_name(config, disk));
  layout.node_ip = TRY(find_node_ip(config, links));
  layout.bind_address = TRY(address("bind-address", config.bind_address));
  layout.port = static_cast<uint16_t>(config.port);
  layout.cluster_cidr = TRY(cidr("cluster-cidr", config.cluster_cidr));
  layout.node_cidr =
      config.node_cidr.empty()
          ? Cidr4{layout.cluster_cidr.address, std::max(layout.cluster_cidr.prefix, kNodePrefix)}
          : TRY(cidr("node-cidr", config.node_cidr));
  layout.service_cidr = TRY(cidr("service-cidr", config.service_cidr));
  layout.cluster_dns = TRY(address("cluster-dns", config.cluster_dns));
  TRY(check_networks(layout));
  layout.gateway = Ip4{layout.node_cidr.address.value + 1};
  layout.listen_addresses = {layout.bind_address};
  Ip4 reached_at = layout.node_ip;
  if (is_loopback(layout.bind_address)) {
    // Nobody outside may reach the API; pods still do, at their gateway.
    layout.listen_addresses.push_back(layout.gateway);
    reached_at = layout.gateway;
  } else if (layout.bind_address.value != 0) {
    reached_at = layout.bind_address;
  }
  const std::string port = std::to_string(layout.port);
  layout.advertised = join({reached_at.text(), ":", port});
  const Ip4 people = is_loopback(layout.bind_address) ? layout.bind_address : reached_at;
  layout.local_url = join({"https://", people.text(), ":", port});
  name_server(config, layout);
  return layout;
}

Result<> check_data_directory(const std::string& path, port::Disk& disk) {
  TRY(disk.make_directories(path, 0700));
  const auto mounts = disk.read_file("/proc/self/mounts");
  if (!mounts) return {};
  std::string_view best;
  std::string_view type;
  for (const std::string_view line : split(*mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 3) continue;
    const std::string_view at = fields[1];
    const bool holds =
        path.starts_with(at) && (at == "/" || path.size() == at.size() || path[at.size()] == '/');
    if (holds && at.size() >= best.size()) {
      best = at;
      type = fields[2];
    }
  }
  if (type == "overlay") {
    return fail(Code::kBadRequest, join({"data-dir: ", path,
                                         " is on overlayfs, which cannot hold containers; "
                                         "mount a data partition there"}));
  }
  return {};
}

}  // namespace coracle::daemon
