// SPDX-License-Identifier: GPL-2.0-or-later
// Strict RFC 8259 text to items, in one pass. Only for src/json.
//
// The text is copied into the arena once and its strings are decoded there, in place: a string
// costs no allocation, and the copy's final NUL is the sentinel that ends every loop.
#pragma once

#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "json/item.h"

namespace coracle::json {

// Where the reader is in the document, to name duplicate keys as upstream does:
// `spec.containers[0].name`.
class Trail {
 public:
  void enter(const Item* container) { steps_[depth_++] = {container, nullptr, 0}; }
  void leave() { depth_--; }
  size_t depth() const { return depth_; }
  void at(const Item* child) {
    steps_[depth_ - 1].child = child;
    steps_[depth_ - 1].index++;
  }
  std::string path_of(std::string_view name) const;  // of a member of the innermost container

 private:
  struct Step {
    const Item* container;
    const Item* child;
    size_t index;  // of child, from 1
  };
  Step steps_[limits::kJsonDepthMax];
  size_t depth_ = 0;
};

// Drops duplicates of a finished object and lists their paths.
void note_duplicates(Item* object, size_t children, const Trail& trail, ParseNotes* notes);

class Scanner {
 public:
  Scanner(Arena& arena, std::string_view text, ParseNotes* notes);
  Result<Item*> document();

 private:
  Item* value();
  Item* object();
  Item* array();
  Item* literal(std::string_view word, int type);
  Item* number();
  Item* string_value();
  bool member(Item* object);
  bool text(char*& begin, uint32_t& size);
  bool escape(char*& to);
  bool code_unit(uint32_t& unit);
  bool enter(const Item* container);
  void skip_space();
  std::nullptr_t refuse(const char* why);
  Error error() const;

  Arena& arena_;
  std::string_view original_;
  ParseNotes* notes_;
  char* start_;
  char* at_;
  const char* end_;
  size_t nodes_ = 0;
  const char* why_ = nullptr;
  Trail trail_;
};

}  // namespace coracle::json
