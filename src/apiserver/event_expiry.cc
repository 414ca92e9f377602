// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/event_expiry.h"

#include <algorithm>

namespace coracle::apiserver {
namespace {

constexpr Duration kKept = minutes(60);
constexpr Duration kLookEvery = minutes(10);
constexpr size_t kDeletesMax = 256;  // at a look; the rest waits for the next one

Wall last_seen(json::Node event) {
  Wall latest{};
  const json::Node times[] = {event["metadata"]["creationTimestamp"], event["lastTimestamp"],
                              event["eventTime"], event["series"]["lastObservedTime"]};
  for (const json::Node time : times) {
    const std::optional<Wall> at = parse_rfc3339(time.string());
    if (at) latest = std::max(latest, *at);
  }
  return latest;
}

struct Old final : api::Visitor {
  explicit Old(Wall limit) : before(limit) {}
  bool visit(const api::ObjectRef& event) override {
    json::Tree tree;
    if (last_seen(event->parse(tree)) < before) found.push_back(event);
    return found.size() < kDeletesMax;
  }
  const Wall before;
  std::vector<api::ObjectRef> found;
};

}  // namespace

EventExpiry::EventExpiry(Parts& parts) : parts_(parts), timer_(parts.clock.timer(*this)) {}
EventExpiry::~EventExpiry() {
  parts_.store.forget(*this);
}

void EventExpiry::start() {
  timer_->arm(parts_.clock.now() + kLookEvery);
}

void EventExpiry::on_alarm(port::Timer&) {
  Old old(Wall{parts_.clock.wall().ns - kKept.ns});
  parts_.store.list(api::kEvent, {}, old);
  for (const api::ObjectRef& event : old.found) {
    parts_.store.propose({store::Operation::kDelete,
                          &api::kEvent,
                          std::string(event->ns()),
                          std::string(event->name()),
                          {},
                          event->version()},
                         *this);
  }
  start();
}

// An Event that was counted up meanwhile stays; what the store refused is tried at the next look.
void EventExpiry::on_outcome(Result<api::Change>) {}

}  // namespace coracle::apiserver
