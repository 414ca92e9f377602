// SPDX-License-Identifier: GPL-2.0-or-later
// SPDY/3 name/value blocks: zlib with a dictionary known to both sides, one history for all blocks
// of a direction.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace coracle::http {

class SpdyInflater {
 public:
  SpdyInflater();
  ~SpdyInflater();
  Result<std::vector<Header>> read(std::string_view block);

 private:
  Result<std::string> inflate_block(std::string_view block);
  struct State;
  std::unique_ptr<State> state_;
};

// A block without any header, not compressed: no deflater is kept for so little.
std::string empty_spdy_block(bool first);

}  // namespace coracle::http
