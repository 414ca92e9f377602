// SPDX-License-Identifier: GPL-2.0-or-later
// WATCH: every watcher that keeps up is fed as changes are applied, and watchers of one format
// share the encoded event. One that does not keep up reads the store's ring from where it stopped
// once its buffer has drained; if the ring has moved past it, it is closed and its client resumes
// by resourceVersion.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/client.h"
#include "apiserver/exchange.h"
#include "apiserver/format.h"
#include "apiserver/selection.h"
#include "base/list.h"

namespace coracle::apiserver {

class Watcher;

class Watches final : public api::Feed, port::Alarm {
 public:
  Watches(port::Clock& clock, port::Random& random, store::Store& store);
  ~Watches();
  Watches(const Watches&) = delete;
  Watches& operator=(const Watches&) = delete;

  Result<Next> open(Exchange& exchange);
  size_t count() const { return count_; }

 private:
  friend class Watcher;
  void on_change(const api::Change& change) override;
  void on_alarm(port::Timer& timer) override;
  void look_again_at(Mono when);

  port::Clock& clock_;
  port::Random& random_;
  store::Store& store_;
  std::unique_ptr<port::Timer> timer_;
  Mono next_look_;
  List<Watcher> watchers_;
  size_t count_ = 0;
  uint64_t delivered_ = 0;  // every change up to this version was handed to the live watchers
};

}  // namespace coracle::apiserver
