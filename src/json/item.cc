// SPDX-License-Identifier: GPL-2.0-or-later
#include "json/item.h"

#include <new>

namespace coracle::json {

// cJSON's invariant for siblings: next ends with null, and the first child's prev is the last
// child.

Item* new_item(Arena& arena, int type) {
  Item* item = new (arena.allocate(sizeof(Item))) Item{};
  item->type = type;
  return item;
}

Item* new_text(Arena& arena, std::string_view text) {
  Item* item = new_item(arena, cJSON_String);
  item->valuestring = const_cast<char*>(arena.copy(text).data());
  item->text_size = static_cast<uint32_t>(text.size());
  return item;
}

Item* new_number(Arena& arena, double value) {
  Item* item = new_item(arena, cJSON_Number);
  item->valuedouble = value;
  return item;
}

Item* copy_item(Arena& arena, const Item* from) {
  Item* copy = new_item(arena, from->type);
  copy->valuedouble = from->valuedouble;
  if (from->is(cJSON_String)) {
    copy->valuestring = const_cast<char*>(arena.copy(from->text()).data());
    copy->text_size = from->text_size;
  }
  for (const Item* child = from->first(); child != nullptr; child = child->following()) {
    Item* made = copy_item(arena, child);
    if (child->string != nullptr) name_item(arena, made, child->key());
    link_last(copy, made);
  }
  return copy;
}

void name_item(Arena& arena, Item* item, std::string_view name) {
  item->string = const_cast<char*>(arena.copy(name).data());
  item->key_size = static_cast<uint32_t>(name.size());
}

void take_value(Item* to, const Item* from) {
  to->type = from->type;
  to->child = from->child;
  to->valuestring = from->valuestring;
  to->valuedouble = from->valuedouble;
  to->text_size = from->text_size;
}

void link_last(Item* parent, Item* child) {
  child->next = nullptr;
  if (parent->child == nullptr) {
    parent->child = child;
  } else {
    child->prev = parent->child->prev;
    child->prev->next = child;
  }
  parent->child->prev = child;
}

void link_before(Item* parent, Item* successor, Item* child) {
  if (successor == nullptr) return link_last(parent, child);
  child->next = successor;
  child->prev = successor->prev;
  successor->prev = child;
  if (parent->child == successor) {
    parent->child = child;
  } else {
    child->prev->next = child;
  }
}

void unlink(Item* parent, Item* child) {
  if (parent->child == child) {
    parent->child = child->next;
    if (child->next != nullptr) child->next->prev = child->prev;
  } else {
    child->prev->next = child->next;
    (child->next != nullptr ? child->next : parent->child)->prev = child->prev;
  }
  child->next = child->prev = nullptr;
}

Item* find_child(const Item* object, std::string_view name) {
  for (Item* child = object->first(); child != nullptr; child = child->following()) {
    if (child->string != nullptr && std::string_view(child->string, child->key_size) == name) {
      return child;
    }
  }
  return nullptr;
}

}  // namespace coracle::json
