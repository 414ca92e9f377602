// SPDX-License-Identifier: GPL-2.0-or-later
#include "peer/link.h"

#include <algorithm>

#include "base/bytes.h"
#include "peer/bounds.h"
#include "peer/remedy.h"

namespace coracle::peer {
namespace {

// The name that a certificate gives; nothing if it is not one of a member's.
std::optional<pki::MemberName> certified(const http::PeerIdentity& identity) {
  const auto& groups = identity.organizations;
  const bool is_member =
      std::find(groups.begin(), groups.end(), pki::kMembersOrganization) != groups.end();
  if (!identity.verified || !is_member) return std::nullopt;
  return pki::parse_member_common_name(identity.common_name);
}

// Words of others end in the log: no control characters, no flood.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, 512));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

}  // namespace

Link::Link(const Surroundings& around, raft::NodeId calls)
    : around_(around),
      side_(calls == raft::kNobody ? Side::kCalled : Side::kCaller),
      calls_(calls),
      timer_(around.clock.timer(*this)),
      inbox_(around.delivery, around.own.from) {
  began_ = around_.clock.now();
  timer_->arm(began_ + kGreetingTime);
}

Link::~Link() = default;

void Link::call(port::Network& network,
                const port::Endpoint& to,
                std::shared_ptr<const http::TlsClientContext> tls) {
  address_ = to;
  use(std::make_unique<http::TlsSession>(std::move(tls), around_.clock.trusted(),
                                         http::TlsTicket()));
  stream_->connect(network, to);
}

void Link::accept(std::unique_ptr<port::Stream> stream,
                  std::shared_ptr<const http::TlsServerContext> tls) {
  address_ = stream->peer();
  use(std::make_unique<http::TlsSession>(std::move(tls), around_.clock.trusted()));
  stream_->accept(std::move(stream), {});
}

void Link::use(std::unique_ptr<http::TlsSession> session) {
  http::SecureEvents& events = *this;
  stream_ = std::make_unique<http::SecureStream>(around_.clock, std::move(session), events);
}

void Link::on_open() {
  if (phase_ != Phase::kConnecting) return;
  phase_ = Phase::kGreeting;
  const auto name = certified(stream_->tls().peer());
  if (!name) {
    refused_ = true;
    return refuse(
        "its certificate does not name a member of the store: it needs one that joining "
        "with a token gives");
  }
  member_ = name->member;
  hello_.cluster = name->cluster;
  if (side_ == Side::kCaller) greet();
}

void Link::greet() {
  Hello own = around_.own;
  own.to = side_ == Side::kCaller ? calls_ : member_;
  say(FrameType::kHello, encode(own));
}

void Link::on_plain(std::string_view bytes) {
  if (is_over()) return;
  heard_ = around_.clock.now();
  asked_ = pinged_ = false;
  reader_.feed(bytes);
  drain();
}

// Every frame may end the link, or put it on hold: what came behind it is looked at later.
void Link::drain() {
  if (draining_) return;
  draining_ = true;
  while (phase_ == Phase::kGreeting || phase_ == Phase::kOpen) {
    const Result<std::optional<Frame>> frame = reader_.next();
    if (!frame) {
      refused_ = true;
      cut(frame.error().message);
      break;
    }
    if (!frame->has_value()) break;
    take(**frame);
  }
  draining_ = false;
}

void Link::take(const Frame& frame) {
  switch (frame.type) {
    case FrameType::kHello:
      return take_hello(frame.payload);
    case FrameType::kRefusal:
      return take_refusal(frame.payload);
    case FrameType::kGoodbye:
      in_peace_ = true;
      return cut(printable(frame.payload));
    case FrameType::kPing:
      if (stream_->unsent() < kFeedBytes) say(FrameType::kPong);
      return;
    case FrameType::kPong:
      return;
    case FrameType::kCredit:
      if (!outbox_.credit(get_u32(frame.payload.data()))) return cut("it took what was not sent");
      return wake();
    case FrameType::kSnapshotReply:
      return take_reply(frame.payload);
    case FrameType::kSighting:
    case FrameType::kDispute:
      return take_sighting(frame);
    default:
      break;
  }
  if (stream_->unsent() > kUnsentBytesMax) return cut("it takes no answers");
  std::string answer;
  const Result<> taken = inbox_.take(frame, answer);
  if (phase_ != Phase::kOpen) return;  // the store closed it meanwhile
  if (!taken) {
    refused_ = true;
    return cut(taken.error().message);
  }
  if (answer.empty()) return;
  stream_->write(answer);
  spoke();
}

void Link::take_hello(std::string_view payload) {
  if (phase_ != Phase::kGreeting) return cut("it greeted twice");
  Result<Hello> hello = decode_hello(payload);
  if (!hello) {
    refused_ = true;
    return cut(hello.error().message);
  }
  const std::string why = objection(*hello, {hello_.cluster, member_}, around_.own);
  if (!why.empty()) return refuse(why);
  if (calls_ != raft::kNobody && calls_ != member_) {
    return refuse(join({"member ", std::to_string(calls_), " was called, but it is member ",
                        std::to_string(member_)}));
  }
  hello_ = std::move(*hello);
  around_.owner.on_greeted(*this);
}

void Link::take_refusal(std::string_view text) {
  refused_ = true;
  if (text == removal(around_.own.from)) around_.owner.on_own_removal();
  cut(join({"it refuses: ", printable(text)}));
}

void Link::take_reply(std::string_view payload) {
  if (!outbox_.settle_snapshot(get_u32(payload.data()))) return;
  const bool failed = payload[4] != 1;
  around_.owner.on_snapshot_settled(*this, failed, printable(payload.substr(5)));
}

void Link::take_sighting(const Frame& frame) {
  const char* at = frame.payload.data();
  around_.owner.on_sighting(*this,
                            {get_u64(at), get_u64(at + 8), frame.type == FrameType::kDispute});
}

void Link::tell(const Sighting& sighting) {
  if (!is_open() || stream_->unsent() > kFeedBytes) return;
  std::string payload;
  put_u64(payload, sighting.member);
  put_u64(payload, sighting.instance);
  say(sighting.disputes ? FrameType::kDispute : FrameType::kSighting, payload);
}

void Link::admit() {
  ASSERT(phase_ == Phase::kGreeting || phase_ == Phase::kHeld);
  const bool was_held = phase_ == Phase::kHeld;
  if (side_ == Side::kCalled) greet();
  phase_ = Phase::kOpen;
  opened_ = heard_ = around_.clock.now();
  reader_.trust();
  inbox_.open(member_);
  watch();
  if (was_held) stream_->pause(false);
  wake();
  around_.owner.on_open(*this);
}

void Link::hold() {
  ASSERT(phase_ == Phase::kGreeting);
  phase_ = Phase::kHeld;
  held_ = around_.clock.now();
  stream_->pause(true);
  timer_->arm(around_.clock.now() + kContestTime);
}

void Link::refuse(const std::string& why) {
  if (is_over()) return;
  refused_ = true;
  say(FrameType::kRefusal, why);
  depart(why);
}

void Link::leave(const std::string& why) {
  if (is_over()) return;
  in_peace_ = true;
  if (phase_ != Phase::kConnecting) say(FrameType::kGoodbye, why);
  depart(why);
}

void Link::depart(const std::string& why) {
  phase_ = Phase::kLeaving;
  why_ = why;
  stream_->finish();
  timer_->arm(around_.clock.now() + kFarewellTime);
}

void Link::cut(std::string_view why) {
  retire(why);
}

void Link::retire(std::string_view why) {
  if (phase_ == Phase::kRetired) return;
  phase_ = Phase::kRetired;
  if (why_.empty()) why_ = why;
  timer_->disarm();
  around_.owner.on_retired(*this);
}

void Link::on_ended(std::string_view why) {
  retire(why);
}

void Link::say(FrameType type, std::string_view payload) {
  std::string frame;
  put_frame(frame, type, payload);
  stream_->write(frame);
  spoke();
}

// From now on an answer is due; anything will do.
void Link::spoke() {
  if (asked_ || phase_ != Phase::kOpen) return;
  asked_ = true;
  watch();
}

void Link::watch() {
  if (pinged_) return;
  timer_->arm(asked_ ? around_.clock.now() + kSilenceAsked : heard_ + kSilenceIdle);
}

void Link::probe() {
  if (phase_ != Phase::kOpen || pinged_) return;
  say(FrameType::kPing);
  pinged_ = true;
  timer_->arm(around_.clock.now() + kPongTime);
}

void Link::on_alarm(port::Timer&) {
  if (phase_ == Phase::kLeaving) return retire(why_);
  if (phase_ == Phase::kHeld) return around_.owner.on_contest_over(*this);
  if (phase_ != Phase::kOpen) return cut("no greeting in time");
  if (pinged_) return cut("it fell silent");
  const Duration silence = around_.clock.now() - heard_;
  if (silence >= (asked_ ? kSilenceAsked : kSilenceIdle)) return probe();
  watch();
}

void Link::on_turn() {
  drain();
  pump();
}

// Hands over a little at a time: what comes to wait later may be more urgent.
void Link::pump() {
  if (phase_ != Phase::kOpen) return;
  std::string frames;
  while (stream_->unsent() + frames.size() < kFeedBytes && outbox_.next(frames)) {
  }
  const std::string why = outbox_.take_source_error();
  if (!frames.empty()) {
    stream_->write(frames);
    spoke();
  }
  if (!why.empty()) around_.owner.on_snapshot_settled(*this, true, why);
}

}  // namespace coracle::peer
