// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/arena.h"

#include <algorithm>
#include <cstring>

namespace coracle {

namespace {
constexpr size_t kAlign = alignof(std::max_align_t);
constexpr size_t kFirstBlock = 2048;
constexpr size_t kBlockMax = 64 * 1024;
}  // namespace

void* Arena::allocate(size_t bytes) {
  const size_t need = (std::max<size_t>(bytes, 1) + kAlign - 1) / kAlign * kAlign;
  if (need > left_) {
    const size_t grown = std::min(kBlockMax, kFirstBlock << std::min<size_t>(blocks_.size(), 5));
    const size_t size = std::max(need, grown);
    blocks_.emplace_back(new char[size]);
    next_ = blocks_.back().get();
    left_ = size;
  }
  void* at = next_;
  next_ += need;
  left_ -= need;
  used_ += need;
  return at;
}

std::string_view Arena::copy(std::string_view text) {
  char* to = static_cast<char*>(allocate(text.size() + 1));
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  to[text.size()] = '\0';
  return {to, text.size()};
}

}  // namespace coracle
