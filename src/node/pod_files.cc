// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/pod_files.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"

namespace coracle::node {

namespace {

constexpr size_t kNameservers = 3;  // glibc reads no more
constexpr size_t kSearches = 32;    // upstream's limit

struct Resolver {
  std::vector<std::string> servers;
  std::vector<std::string> searches;
  std::vector<std::string> options;
};

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> all;
  while (!(line = trim(line)).empty()) {
    const size_t end = std::min(line.find_first_of(" \t"), line.size());
    all.emplace_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return all;
}

Resolver parse_resolver(std::string_view text) {
  Resolver resolver;
  for (const std::string_view line : split(text, '\n')) {
    std::vector<std::string> parts = words(line);
    if (parts.size() < 2) continue;
    const std::string key = parts.front();
    parts.erase(parts.begin());
    if (key == "nameserver") resolver.servers.push_back(parts.front());
    if (key == "search") resolver.searches = parts;
    if (key == "options") resolver.options = parts;
  }
  return resolver;
}

void add_new(std::vector<std::string>& list, std::string item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(std::move(item));
}

void add_dns_config(Resolver& resolver, json::Node config) {
  for (const json::Node server : config["nameservers"])
    add_new(resolver.servers, std::string(server.string()));
  for (const json::Node search : config["searches"])
    add_new(resolver.searches, std::string(search.string()));
  for (const json::Node option : config["options"]) {
    const std::string name(option["name"].string());
    std::erase_if(resolver.options, [&](const std::string& old) {
      return old == name || old.starts_with(name + ":");
    });
    const std::string_view value = option["value"].string();
    resolver.options.push_back(value.empty() ? name : join({name, ":", value}));
  }
}

Resolver of_cluster(json::Node pod, const Resolver& node, const ClusterNames& names) {
  Resolver resolver;
  resolver.servers = {names.dns_ip};
  const std::string_view ns = pod["metadata"]["namespace"].string();
  add_new(resolver.searches, join({ns, ".svc.", names.domain}));
  add_new(resolver.searches, join({"svc.", names.domain}));
  add_new(resolver.searches, names.domain);
  for (const std::string& search : node.searches)
    add_new(resolver.searches, search);
  resolver.options = {"ndots:5"};
  return resolver;
}

void add_line(std::string& text,
              std::string_view key,
              const std::vector<std::string>& items,
              size_t most) {
  if (items.empty()) return;
  text += key;
  for (size_t i = 0; i < std::min(items.size(), most); ++i)
    text += join({" ", items[i]});
  text += '\n';
}

}  // namespace

std::string pod_hostname(json::Node pod) {
  std::string name(pod["spec"]["hostname"].string(pod["metadata"]["name"].string()));
  if (name.size() > 63) name.resize(63);
  while (!name.empty() && (name.back() == '-' || name.back() == '.'))
    name.pop_back();
  return name;
}

std::string hosts_file(json::Node pod,
                       std::string_view pod_ip,
                       std::string_view node_hosts,
                       std::string_view domain) {
  std::string text;
  if (pod["spec"]["hostNetwork"].boolean()) {
    text = join({"# Kubernetes-managed hosts file (host network).\n", node_hosts});
  } else {
    text =
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost "
        "ip6-loopback\n"
        "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-"
        "allrouters\n";
    const std::string name = pod_hostname(pod);
    const std::string_view subdomain = pod["spec"]["subdomain"].string();
    if (!subdomain.empty())
      text += join({pod_ip, "\t", name, ".", subdomain, ".", pod["metadata"]["namespace"].string(),
                    ".svc.", domain, "\t", name, "\n"});
    else
      text += join({pod_ip, "\t", name, "\n"});
  }
  const json::Node aliases = pod["spec"]["hostAliases"];
  if (aliases.size() > 0) text += "\n# Entries added by HostAliases.\n";
  for (const json::Node alias : aliases) {
    text += alias["ip"].string();
    for (const json::Node name : alias["hostnames"])
      text += join({"\t", name.string()});
    text += '\n';
  }
  return text;
}

std::string resolv_file(json::Node pod, std::string_view node_resolv, const ClusterNames& names) {
  const std::string_view policy = pod["spec"]["dnsPolicy"].string("ClusterFirst");
  const bool on_host = pod["spec"]["hostNetwork"].boolean();
  Resolver resolver = parse_resolver(node_resolv);
  const bool wants_cluster =
      policy == "ClusterFirstWithHostNet" || (policy == "ClusterFirst" && !on_host);
  if (policy == "None")
    resolver = {};
  else if (wants_cluster && !names.dns_ip.empty())
    resolver = of_cluster(pod, resolver, names);
  add_dns_config(resolver, pod["spec"]["dnsConfig"]);
  std::string text;
  add_line(text, "search", resolver.searches, kSearches);
  for (size_t i = 0; i < std::min(resolver.servers.size(), kNameservers); ++i)
    text += join({"nameserver ", resolver.servers[i], "\n"});
  add_line(text, "options", resolver.options, 32);
  return text;
}

}  // namespace coracle::node
