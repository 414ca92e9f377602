// SPDX-License-Identifier: GPL-2.0-or-later
// The objects that every cluster has: four namespaces, the Service by which Pods find the API
// server, roles and bindings, two priority classes. Made at first start; the endpoints follow the
// server's address at every start.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/exchange.h"
#include "base/list.h"
#include "port/clock.h"

namespace coracle::apiserver {

class Bootstrap final : port::Alarm {
 public:
  explicit Bootstrap(Parts& parts);
  ~Bootstrap();
  Bootstrap(const Bootstrap&) = delete;
  Bootstrap& operator=(const Bootstrap&) = delete;

  // Sets pages.ready when all is stored. Tried again every second while the store refuses.
  void start();

 private:
  class Write;
  struct Step {
    const api::Kind* kind;
    std::string ns;
    std::string name;
    std::string body;
    bool update;  // replace what is there; else leave it
  };
  void next();
  void submit(Write& write);
  void on_alarm(port::Timer&) override { next(); }
  void written(Write& write, bool good);

  Parts& parts_;
  std::unique_ptr<port::Timer> timer_;
  std::deque<Step> steps_;
  // On their way together: one flush of the log serves them all.
  std::vector<std::unique_ptr<Write>> writes_;
  size_t running_ = 0;
  bool failed_ = false;
};

}  // namespace coracle::apiserver
