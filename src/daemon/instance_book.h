// SPDX-License-Identifier: GPL-2.0-or-later
// Tells copies of an agent's identity apart. Each start of an agent counts up a number in its data
// directory and draws another by chance; every request carries both. Who comes with a number that
// was overtaken, or with the same number and another draw, is a copy, or has been copied: it is
// refused and named. A Node repeats the latest, so that all servers agree.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/client.h"
#include "api/object.h"
#include "base/result.h"
#include "port/clock.h"

namespace coracle::daemon {

inline constexpr std::string_view kInstanceHeader = "coracle-instance";
inline constexpr std::string_view kInstanceAnnotation = "coracle.io/instance";

class InstanceBook final : api::Caller {
 public:
  InstanceBook(api::Client& client, port::Clock& clock) : client_(client), clock_(clock) {}
  ~InstanceBook() { client_.forget(*this); }
  InstanceBook(const InstanceBook&) = delete;
  InstanceBook& operator=(const InstanceBook&) = delete;

  // `identity` as certified; `instance` as "<number>-<draw>", and who sends none is not judged.
  Result<> admit(const api::Object& node, std::string_view identity, std::string_view instance);

 private:
  struct Known {
    std::string latest;
    std::string refused;  // named once
    bool writing = false;
  };
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void keep(std::string_view node, Known& known);
  void alarm(std::string_view node, const Error& error);

  api::Client& client_;
  port::Clock& clock_;
  std::map<std::string, Known, std::less<>> nodes_;
};

}  // namespace coracle::daemon
