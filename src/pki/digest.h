// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace coracle::pki {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  std::string finish();  // 32 raw bytes; once

 private:
  class State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::string_view bytes);  // 32 raw bytes
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace coracle::pki
