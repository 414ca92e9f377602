// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/watch.h"

#include "apiserver/list.h"
#include "apiserver/options.h"
#include "apiserver/watcher.h"
#include "base/bytes.h"
#include "base/limits.h"

namespace coracle::apiserver {
namespace {

constexpr int64_t kTimeoutSecondsMin =
    1800;  // without timeoutSeconds: a random time between this and twice this

WatchTerms start_of(const Options& options, uint64_t newest) {
  WatchTerms terms;
  const uint64_t wanted = parse_unsigned(options.resource_version).value_or(0);
  if (options.send_initial_events) {
    terms.initial_events = *options.send_initial_events;
    terms.mark_end_of_initial = terms.initial_events && options.bookmarks;
    terms.from = wanted == 0 ? newest : wanted;
  } else {
    terms.initial_events = wanted == 0;
    terms.from = wanted;
  }
  return terms;
}

}  // namespace

Watches::Watches(port::Clock& clock, port::Random& random, store::Store& store)
    : clock_(clock),
      random_(random),
      store_(store),
      timer_(clock.timer(*this)),
      delivered_(store.version()) {
  store_.subscribe(*this);
}

Watches::~Watches() {
  store_.unsubscribe(*this);
}

Result<Next> Watches::open(Exchange& exchange) {
  const Request& request = exchange.request;
  TRY(check_list_options(request));
  WatchTerms terms = start_of(request.options, store_.version());
  terms.format = TRY(negotiate(request));
  terms.selection = TRY(Selection::read(request));
  if (request.options.send_initial_events.value_or(false)) {
    const uint64_t wanted = parse_unsigned(request.options.resource_version).value_or(0);
    TRY(check_not_in_future(wanted, store_.version()));
  }
  if (count_ >= limits::kWatchersMax) {
    Error error = fail(Code::kTooManyRequests, "too many watches, please try again later");
    error.retry_after_s = 1;
    return error;
  }
  const int64_t timeout =
      request.options.timeout_s.value_or(0) > 0
          ? *request.options.timeout_s
          : kTimeoutSecondsMin + static_cast<int64_t>(random_.next() % kTimeoutSecondsMin);
  terms.deadline = clock_.now() + seconds(std::min(timeout, int64_t{24} * 3600));
  auto owned = std::make_unique<Watcher>(*this, exchange, std::move(terms));
  Watcher& watcher = *owned;
  exchange.stream = std::move(owned);
  exchange.lasts();
  exchange.request.http = {};  // an idle watch keeps nothing that it does not need
  look_again_at(watcher.next_look());
  watcher.start();
  return Next::kDone;
}

void Watches::on_change(const api::Change& change) {
  delivered_ = change.version;
  SharedChange shared(change, clock_.wall());
  for (Watcher* watcher = watchers_.front(); watcher != nullptr;) {
    Watcher* next = watchers_.next(watcher);
    if (watcher->is_live()) watcher->offer(shared);
    watcher = next;
  }
}

void Watches::look_again_at(Mono when) {
  if (timer_->armed() && next_look_ <= when) return;
  next_look_ = when;
  timer_->arm(when);
}

void Watches::on_alarm(port::Timer&) {
  const Mono now = clock_.now();
  for (Watcher* watcher = watchers_.front(); watcher != nullptr;) {
    Watcher* next = watchers_.next(watcher);
    if (watcher->overdue(now)) {
      watcher->end();
    } else {
      watcher->bookmark_if_due(now, delivered_);
    }
    watcher = next;
  }
  for (Watcher* watcher = watchers_.front(); watcher != nullptr;
       watcher = watchers_.next(watcher)) {
    look_again_at(watcher->next_look());
  }
}

}  // namespace coracle::apiserver
