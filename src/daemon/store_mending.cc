// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/store_mending.h"

#include "api/kind.h"
#include "base/bytes.h"
#include "base/log.h"
#include "daemon/join.h"
#include "store/damage.h"

namespace coracle::daemon {

namespace {

constexpr Duration kTellAfter = seconds(1);
constexpr std::string_view kNoOthers =
    "; there is no other server to get the state from: `coracle restore <backup>` makes a new "
    "store "
    "of a backup";

std::vector<port::Endpoint> other_servers(const store::Joining& remains) {
  std::vector<port::Endpoint> others;
  for (const store::Member& member : remains.members) {
    const auto endpoint = parse_server(member.api_address);
    if (member.id != remains.member && endpoint) others.push_back(*endpoint);
  }
  return others;
}

}  // namespace

Result<store::Joining> replace_store(port_linux::Machine& machine,
                                     const Config& config,
                                     const Layout& layout,
                                     const Identity& identity,
                                     const Error& damage) {
  port::Disk& disk = machine.disk();
  const std::string directory = config.data_dir + "/store";
  const auto remains = store::read_remains(directory, disk);
  if (!remains)
    return fail(Code::kCorrupt,
                join({damage.message, "; and its members are not known any more (",
                      remains.error().message, "): move ", directory,
                      " away and start once with --join and --token, or use `coracle restore "
                      "<backup>`"}));
  const std::vector<port::Endpoint> others = other_servers(*remains);
  if (others.empty()) return fail(Code::kCorrupt, join({damage.message, kNoOthers}));
  LOG(kError, "daemon: the store is damaged; asking the other servers for a new one",
      kv("why", damage.message), kv("member", remains->member), kv("servers", others.size()));
  static_cast<void>(store::condemn(directory, damage.message, disk));
  http::TlsClientOptions tls;
  tls.ca_pem = identity.ca_pem;
  tls.certificate_pem = identity.admin.certificate_pem;
  tls.key_pem = identity.admin.key_pem;
  const std::string answer =
      TRY(apply_to_rejoin(machine, others, std::move(tls), server_application(layout)));
  TRY(keep_welcome(disk, config, answer));
  TRY(store::set_aside(directory, disk));
  Config same = config;
  auto joining = TRY(join_as_server(machine, same));
  if (!joining) return fail(Code::kCorrupt, "the other servers' answer was lost");
  return std::move(*joining);
}

StoreMending::StoreMending(Parts parts)
    : parts_(std::move(parts)),
      timer_(parts_.machine.clock().timer(*this)),
      recorder_(parts_.client,
                parts_.machine.clock(),
                parts_.machine.random(),
                {"coracle", parts_.node_name}) {
  parts_.store.membership().listen(*this);
  if (store::is_aside(parts_.directory, parts_.machine.disk()))
    timer_->arm(parts_.machine.clock().now() + kTellAfter);
}

StoreMending::~StoreMending() {
  parts_.store.membership().unlisten(*this);
}

void StoreMending::on_standing() {
  if (!parts_.store.membership().standing().damaged) return;
  parts_.failure = fail(Code::kCorrupt,
                        "the store is damaged; at its next start this server asks the others "
                        "for a new one");
  parts_.machine.stop();
}

void StoreMending::on_alarm(port::Timer&) {
  if (!tell()) timer_->arm(parts_.machine.clock().now() + kTellAfter);
}

bool StoreMending::tell() {
  const store::Membership& membership = parts_.store.membership();
  const store::Standing standing = membership.standing();
  const api::ObjectRef node = parts_.store.get(api::kNode, {}, parts_.node_name);
  if (!node || standing.leader == raft::kNobody) return false;
  for (const store::Member& member : membership.members()) {
    if (member.id != standing.self || member.role != store::MemberRole::kVoter) continue;
    recorder_.warning(*node, "StoreReplaced",
                      join({"The store of this server was damaged; it came back as member ",
                            std::to_string(standing.self), " with the state of the others"}));
    static_cast<void>(store::forget_aside(parts_.directory, parts_.machine.disk()));
    return true;
  }
  return false;
}

}  // namespace coracle::daemon
