// SPDX-License-Identifier: GPL-2.0-or-later
// How a node lies in memory: a cJSON node with the sizes of its two strings behind it, so that
// comparing keys and reading values never measures. Items live in the arena of their Tree: cJSON's
// allocating functions and cJSON_Delete must never see one. Only for src/json.
#pragma once

#include <cstdint>
#include <string_view>

#include <cJSON.h>

#include "base/arena.h"
#include "json/tree.h"

namespace coracle::json {

struct Item : cJSON {
  uint32_t key_size;
  uint32_t text_size;

  std::string_view key() const { return {string, key_size}; }
  std::string_view text() const { return {valuestring, text_size}; }
  Item* first() const { return static_cast<Item*>(child); }
  Item* following() const { return static_cast<Item*>(next); }
  bool is(int wanted) const { return (type & 0xFF) == wanted; }
  bool is_container() const { return is(cJSON_Object) || is(cJSON_Array); }
};

struct Inside {
  static Item* item(Node node) { return static_cast<Item*>(node.item_); }
  static Tree* tree(Node node) { return node.tree_; }
  static Node node(Item* item, Tree* tree) { return item == nullptr ? Node() : Node(item, tree); }
  static Arena& arena(Tree* tree) { return tree->arena_; }
};

Item* new_item(Arena& arena, int type);
Item* new_text(Arena& arena, std::string_view text);
Item* new_number(Arena& arena, double value);
Item* copy_item(Arena& arena, const Item* from);  // deep; without key and siblings
void name_item(Arena& arena, Item* item, std::string_view name);
void take_value(Item* to, const Item* from);  // `to` keeps its key and siblings
void link_last(Item* parent, Item* child);
void link_before(Item* parent, Item* successor, Item* child);
void unlink(Item* parent, Item* child);
Item* find_child(const Item* object, std::string_view name);

}  // namespace coracle::json
