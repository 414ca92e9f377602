// SPDX-License-Identifier: GPL-2.0-or-later
#include "peer/remote.h"

#include <algorithm>

#include "peer/bounds.h"

namespace coracle::peer {

namespace {
constexpr uint32_t kDoublingsMax = 8;
}  // namespace

void Remote::list(const std::vector<port::Endpoint>& endpoints) {
  const bool same =
      std::equal(endpoints.begin(), endpoints.end(), endpoints_.begin(), endpoints_.end(),
                 [](const auto& a, const auto& b) { return a.host == b.host && a.port == b.port; });
  if (listed_ && same) return;
  listed_ = true;
  endpoints_ = endpoints;
  next_ = 0;
  succeeded();
  retry_->disarm();
  want_call();
}

void Remote::unlist() {
  listed_ = false;
  retry_->disarm();
}

void Remote::learn(const port::Endpoint& endpoint) {
  learned_ = endpoint;
  next_ = 0;
}

void Remote::doubt(const Doubt& doubt) {
  if (doubted.informant != raft::kNobody) return;
  doubted = doubt;
  doubted.since = clock_.now();
  doubt_ = clock_.timer(*this);
  doubt_->arm(clock_.now() + kContestTime);
}

void Remote::on_alarm(port::Timer& timer) {
  if (&timer == retry_.get()) return owner_.call(*this);
  owner_.on_doubt_over(*this);
}

void Remote::want_call() {
  if (!listed_ || current != nullptr || calling != nullptr || retry_->armed()) return;
  if (endpoints_.empty() && !learned_) return;
  retry_->arm(clock_.now() + patience_);
}

void Remote::call_now() {
  if (!listed_) return;
  retry_->arm(clock_.now());
}

std::optional<port::Endpoint> Remote::next_endpoint() {
  const size_t all = endpoints_.size() + (learned_ ? 1 : 0);
  if (all == 0) return std::nullopt;
  const size_t at = next_++ % all;
  if (!learned_) return endpoints_[at];
  return at == 0 ? *learned_ : endpoints_[at - 1];
}

// Half of the wait is left to chance, so that members do not call in step.
void Remote::failed(port::Random& random, bool refused) {
  if (!listed_) return;
  const Duration first = refused ? kRefusedFirst : kRetryFirst;
  const Duration doubled = first * (int64_t{1} << std::min(failures_, kDoublingsMax));
  const Duration most = std::min(doubled, refused ? kRefusedMost : kRetryMost);
  failures_++;
  const auto part = static_cast<int64_t>(random.next() % 512);
  retry_->arm(clock_.now() + patience_ + nanoseconds(most.ns / 1024 * (512 + part)));
}

void Remote::succeeded() {
  failures_ = 0;
  news.forget();
}

}  // namespace coracle::peer
