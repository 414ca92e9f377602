// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/beacon.h"

#include "base/bytes.h"
#include "base/log.h"
#include "pki/digest.h"

namespace coracle::daemon {

namespace {

constexpr uint16_t kBeaconPort = 6444;
constexpr std::string_view kMagic = "crcB";
constexpr char kCall = 'c';
constexpr char kAnswer = 'a';
constexpr size_t kBytes = 4 + 1 + 4 + 4 + 8 + 8;  // what; ports; cluster; member

bool is_loopback(Ip4 ip) {
  return ip.value >> 24 == 127;
}

}  // namespace

Beacon::Beacon(const BeaconOptions& options, port::Links& links, BeaconListener& listener)
    : options_(options),
      cluster_(get_u64(pki::sha256(options.authority_pem).data())),
      links_(links),
      listener_(listener) {}

Result<std::unique_ptr<Beacon>> Beacon::open(const BeaconOptions& options,
                                             port::DatagramNetwork& network,
                                             port::Links& links,
                                             BeaconListener& listener) {
  std::unique_ptr<Beacon> beacon(new Beacon(options, links, listener));
  const uint16_t port = options.member != 0 ? kBeaconPort : uint16_t{0};
  beacon->socket_ = TRY(network.bind({"0.0.0.0", port}, *beacon).with("beacon"));
  return beacon;
}

std::string Beacon::text(char what) const {
  std::string out(kMagic);
  out += what;
  put_u32(out, options_.peer_port);
  put_u32(out, options_.api_port);
  put_u64(out, cluster_);
  put_u64(out, options_.member);
  return out;
}

// To the broadcast address of each link: there may be no default route.
void Beacon::call() {
  const auto addresses = links_.addresses();
  if (!addresses) return;
  for (const port::HostAddress& each : *addresses) {
    if (is_loopback(each.address.address) || each.address.prefix > 30) continue;
    const Ip4 everybody{each.address.address.value | ~each.address.mask()};
    if (const auto sent = socket_->send(text(kCall), {everybody.text(), kBeaconPort}); !sent)
      LOG(kDebug, "daemon: call not sent", kv("link", each.link), kv("why", sent.error().message));
  }
}

void Beacon::on_datagram(std::string_view bytes, const port::Endpoint& from) {
  if (bytes.size() != kBytes || !bytes.starts_with(kMagic)) return;
  const char what = bytes[4];
  const uint32_t peer_port = get_u32(bytes.data() + 5);
  const uint32_t api_port = get_u32(bytes.data() + 9);
  const uint64_t cluster = get_u64(bytes.data() + 13);
  const uint64_t member = get_u64(bytes.data() + 21);
  if (cluster != cluster_ || (member == options_.member && member != 0)) return;
  // An answer is no longer than the question, so nobody can use it against others.
  if (what == kCall && options_.member != 0) (void)socket_->send(text(kAnswer), from);
  const uint32_t port = options_.member != 0 ? peer_port : api_port;
  if (member == 0 || port == 0 || port > UINT16_MAX) return;
  listener_.on_found(member, {from.host, static_cast<uint16_t>(port)});
}

}  // namespace coracle::daemon
