// SPDX-License-Identifier: GPL-2.0-or-later
// A bump arena: allocations live until the arena does. Owned by one request or one plan; freed
// whole.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace coracle {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  void* allocate(size_t bytes);             // aligned for any object; never null
  std::string_view copy(std::string_view);  // NUL-terminated behind the view
  size_t bytes_used() const { return used_; }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t used_ = 0;
};

}  // namespace coracle
