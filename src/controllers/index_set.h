// SPDX-License-Identifier: GPL-2.0-or-later
// Indexes of an Indexed Job as its status writes them: "1,3-5,7".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle::controllers {

class IndexSet {
 public:
  IndexSet() = default;
  // What cannot be read, is out of order or not below `end` is left out.
  IndexSet(std::string_view text, int64_t end);
  void add(int64_t index);
  bool contains(int64_t index) const;
  int64_t size() const;
  std::string text() const;  // two that follow each other are written apart: "1,2", "1-3"

 private:
  std::vector<std::pair<int64_t, int64_t>> ranges_;  // first and last, in order, never touching
};

}  // namespace coracle::controllers
