// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/server_join.h"

#include "base/bytes.h"
#include "base/log.h"
#include "daemon/join.h"

namespace coracle::daemon {

namespace {

constexpr uint16_t kPeerPort = 6444;

std::string number_text(uint64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes += static_cast<char>(number >> shift);
  return hex(bytes);
}

uint64_t number_of(json::Node text) {
  uint64_t number = 0;
  for (const char c : from_hex(text.string()).value_or(""))
    number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

void put_pair(json::Node to, std::string_view name, const pki::KeyAndCertificate& pair) {
  to.object(name).set("key", std::string_view(pair.key_pem));
  to.object(name).set("certificate", std::string_view(pair.certificate_pem));
}

pki::KeyAndCertificate pair_of(json::Node from) {
  return {std::string(from["key"].string()), std::string(from["certificate"].string())};
}

struct Paths {
  explicit Paths(const Config& config)
      : store(config.data_dir + "/store/state.db"),
        current(config.data_dir + "/store/current"),
        pki(config.data_dir + "/pki"),
        welcome(pki + "/welcome.json"),
        cluster(config.data_dir + "/cluster.json") {}
  std::string store;  // the first state; later ones are named in `current`
  std::string current;
  std::string pki;
  std::string welcome;  // there until the store was opened
  std::string cluster;  // stays: this device has joined, and the networks
};

Result<> take_networks(port::Disk& disk, const std::string& path, Config& config) {
  const std::string text = TRY(disk.read_file(path));
  json::Tree tree;
  const json::Node from = TRY(tree.parse(text).with(path));
  config.cluster_cidr = std::string(from["clusterCidr"].string(config.cluster_cidr));
  config.service_cidr = std::string(from["serviceCidr"].string(config.service_cidr));
  config.cluster_dns = std::string(from["clusterDns"].string(config.cluster_dns));
  config.cluster_domain = std::string(from["clusterDomain"].string(config.cluster_domain));
  return {};
}

Result<Welcome> load_welcome(port::Disk& disk, const std::string& path) {
  const std::string text = TRY(disk.read_file(path));
  json::Tree tree;
  const json::Node from = TRY(tree.parse(text).with(path));
  return read_welcome(from).with(path);
}

// The files that load_or_make_identity then finds.
Result<> save_keys(port::Disk& disk, const Paths& paths, const Welcome& welcome) {
  const auto save = [&](std::string_view name, const pki::KeyAndCertificate& pair) -> Result<> {
    TRY(disk.replace_file(join({paths.pki, "/", name, ".key"}), pair.key_pem, 0600));
    return disk.replace_file(join({paths.pki, "/", name, ".crt"}), pair.certificate_pem, 0600);
  };
  TRY(save("ca", welcome.authority));
  TRY(save("peer-ca", welcome.peer_authority));
  return disk.replace_file(paths.pki + "/service-account.key", welcome.service_account_key, 0600);
}

Result<> apply(port_linux::Machine& machine, const Config& config) {
  if (config.token.empty())
    return fail(Code::kBadRequest,
                "--join needs --token; `coracle token create --role server` on a server of the "
                "cluster prints one");
  const Layout layout = TRY(make_layout(config, machine.disk(), machine.links()));
  const std::string answer = TRY(apply_to_join(machine, config, server_application(layout)));
  return keep_welcome(machine.disk(), config, answer);
}

}  // namespace

std::string welcome_text(const Welcome& welcome) {
  json::Tree tree;
  const json::Node to = tree.make_object();
  put_pair(to, "authority", welcome.authority);
  put_pair(to, "peerAuthority", welcome.peer_authority);
  to.set("serviceAccountKey", std::string_view(welcome.service_account_key));
  to.set("cluster", std::string_view(number_text(welcome.joining.cluster)));
  to.set("member", std::string_view(number_text(welcome.joining.member)));
  for (const store::Member& member : welcome.joining.members) {
    const json::Node row = to.array("members").append_object();
    row.set("id", std::string_view(number_text(member.id)));
    row.set("name", std::string_view(member.name));
    row.set("voter", member.role == store::MemberRole::kVoter);
    row.set("wantsVote", member.wants_vote);
    row.set("apiAddress", std::string_view(member.api_address));
    for (const std::string& address : member.addresses)
      row.array("addresses").append(std::string_view(address));
  }
  return json::write(to);
}

Result<Welcome> read_welcome(json::Node from) {
  Welcome welcome;
  welcome.authority = pair_of(from["authority"]);
  welcome.peer_authority = pair_of(from["peerAuthority"]);
  welcome.service_account_key = std::string(from["serviceAccountKey"].string());
  welcome.joining.cluster = number_of(from["cluster"]);
  welcome.joining.member = number_of(from["member"]);
  for (const json::Node row : from["members"]) {
    store::Member member;
    member.id = number_of(row["id"]);
    member.name = std::string(row["name"].string());
    member.role = row["voter"].boolean() ? store::MemberRole::kVoter : store::MemberRole::kLearner;
    member.wants_vote = row["wantsVote"].boolean();
    member.api_address = std::string(row["apiAddress"].string());
    for (const json::Node address : row["addresses"])
      member.addresses.emplace_back(address.string());
    welcome.joining.members.push_back(std::move(member));
  }
  const bool whole = !welcome.authority.key_pem.empty() &&
                     !welcome.peer_authority.key_pem.empty() &&
                     !welcome.service_account_key.empty() && welcome.joining.cluster != 0 &&
                     welcome.joining.member != 0 && !welcome.joining.members.empty();
  if (!whole) return fail(Code::kCorrupt, "what a new server is given is not complete");
  return welcome;
}

Application server_application(const Layout& layout) {
  Application application;
  application.role = "server";
  application.node_name = layout.node_name;
  json::Tree more;
  const json::Node extra = more.make_object();
  extra.set("peerAddress",
            std::string_view(join({layout.node_ip.text(), ":", std::to_string(kPeerPort)})));
  extra.set("apiAddress", std::string_view(layout.advertised));
  application.more = json::write(extra);
  return application;
}

Result<> keep_welcome(port::Disk& disk, const Config& config, const std::string& text) {
  const Paths paths(config);
  json::Tree tree;
  const json::Node answer = TRY(tree.parse(text));
  const Welcome welcome = TRY(read_welcome(answer["server"]).with("the server's answer"));
  answer.remove("server");
  TRY(disk.make_directories(paths.pki, 0700));
  TRY(disk.replace_file(paths.cluster, json::write(answer), 0600));
  TRY(disk.replace_file(paths.welcome, welcome_text(welcome), 0600));
  LOG(kInfo, "daemon: joined", kv("member", welcome.joining.member));
  return {};
}

Result<std::optional<store::Joining>> join_as_server(port_linux::Machine& machine, Config& config) {
  port::Disk& disk = machine.disk();
  const Paths paths(config);
  const bool has_store = disk.stat(paths.store) || disk.stat(paths.current);
  const bool welcomed = static_cast<bool>(disk.stat(paths.welcome));
  const bool joined = static_cast<bool>(disk.stat(paths.cluster));
  if (!has_store && !welcomed) {
    if (joined && config.token.empty())
      return fail(
          Code::kCorrupt,
          join({"the store of this server is gone; to come back as a new member, start with "
                "--join and --token (",
                paths.cluster, " says that it had joined)"}));
    if (!config.join.empty()) TRY(apply(machine, config));
  }
  if (disk.stat(paths.cluster)) TRY(take_networks(disk, paths.cluster, config));
  // Also if its store was begun: who lost power in between would found a cluster of his own.
  if (!disk.stat(paths.welcome)) return std::optional<store::Joining>();
  Welcome welcome = TRY(load_welcome(disk, paths.welcome));
  TRY(save_keys(disk, paths, welcome));
  return std::optional(std::move(welcome.joining));
}

Result<> finish_joining(port::Disk& disk, const Config& config) {
  return disk.remove(Paths(config).welcome);
}

}  // namespace coracle::daemon
