// SPDX-License-Identifier: GPL-2.0-or-later
#include "json/tree.h"

#include <cmath>

#include "json/item.h"
#include "json/lookup.h"
#include "json/scanner.h"

namespace coracle::json {

namespace {

constexpr double kIntegerMax = 9007199254740992.0;  // 2^53

// The member `name` of `object`, ready to be given a value; null if `object` is none.
Item* slot(Node object, std::string_view name) {
  Item* parent = Inside::item(object);
  if (parent == nullptr || !parent->is(cJSON_Object)) return nullptr;
  if (Item* found = find_child(parent, name)) return found;
  Arena& arena = Inside::arena(Inside::tree(object));
  Item* made = new_item(arena, cJSON_NULL);
  name_item(arena, made, name);
  link_last(parent, made);
  return made;
}

Node fill(Node object, std::string_view name, const Item* value) {
  Item* to = slot(object, name);
  if (to != nullptr) take_value(to, value);
  return Inside::node(to, Inside::tree(object));
}

Item* array_of(Node node) {
  Item* item = Inside::item(node);
  return item != nullptr && item->is(cJSON_Array) ? item : nullptr;
}

Node push(Node array, Item* value) {
  link_last(Inside::item(array), value);
  return Inside::node(value, Inside::tree(array));
}

Arena& arena_of(Node node) {
  return Inside::arena(Inside::tree(node));
}

bool equal_objects(const Item* a, const Item* b);

bool equal_items(const Item* a, const Item* b) {
  if ((a->type & 0xFF) != (b->type & 0xFF)) return false;
  if (a->is(cJSON_Number)) return a->valuedouble == b->valuedouble;
  if (a->is(cJSON_String)) return a->text() == b->text();
  if (a->is(cJSON_Object)) return equal_objects(a, b);
  const Item* x = a->first();
  const Item* y = b->first();
  for (; x != nullptr && y != nullptr; x = x->following(), y = y->following()) {
    if (!equal_items(x, y)) return false;
  }
  return x == y;
}

// Most pairs have the same members in the same order; only from the first difference on are names
// looked up.
bool equal_objects(const Item* a, const Item* b) {
  const Item* x = a->first();
  const Item* y = b->first();
  for (; x != nullptr && y != nullptr && x->key() == y->key();
       x = x->following(), y = y->following()) {
    if (!equal_items(x, y)) return false;
  }
  if (x == nullptr || y == nullptr) return x == y;
  if (cJSON_GetArraySize(a) != cJSON_GetArraySize(b)) return false;
  const Lookup members(b);
  for (; x != nullptr; x = x->following()) {
    const Item* other = members[x->key()];
    if (other == nullptr || !equal_items(x, other)) return false;
  }
  return true;
}

}  // namespace

bool Node::is_object() const {
  return cJSON_IsObject(item_) != 0;
}
bool Node::is_array() const {
  return cJSON_IsArray(item_) != 0;
}
bool Node::is_string() const {
  return cJSON_IsString(item_) != 0;
}
bool Node::is_number() const {
  return cJSON_IsNumber(item_) != 0;
}
bool Node::is_boolean() const {
  return cJSON_IsBool(item_) != 0;
}
bool Node::is_null() const {
  return cJSON_IsNull(item_) != 0;
}

bool Node::is_integer() const {
  return is_number() && std::fabs(item_->valuedouble) <= kIntegerMax &&
         std::trunc(item_->valuedouble) == item_->valuedouble;
}

std::string_view Node::key() const {
  const Item* item = Inside::item(*this);
  return item == nullptr || item->string == nullptr ? std::string_view() : item->key();
}

Node Node::operator[](std::string_view name) const {
  return is_object() ? Inside::node(find_child(Inside::item(*this), name), tree_) : Node();
}

Node Node::at(size_t index) const {
  if (!is_array()) return {};
  const Item* child = Inside::item(*this)->first();
  while (child != nullptr && index-- > 0)
    child = child->following();
  return Inside::node(const_cast<Item*>(child), tree_);
}

size_t Node::size() const {
  return static_cast<size_t>(cJSON_GetArraySize(item_));
}

Node Node::first() const {
  return item_ == nullptr ? Node() : Inside::node(Inside::item(*this)->first(), tree_);
}

Node Node::next() const {
  return item_ == nullptr ? Node() : Inside::node(Inside::item(*this)->following(), tree_);
}

std::string_view Node::string(std::string_view otherwise) const {
  return is_string() ? Inside::item(*this)->text() : otherwise;
}

int64_t Node::integer(int64_t otherwise) const {
  if (!is_number()) return otherwise;
  const double value = item_->valuedouble;
  if (value >= 9223372036854775807.0) return INT64_MAX;
  if (value <= -9223372036854775808.0) return INT64_MIN;
  return static_cast<int64_t>(value);
}

double Node::number(double otherwise) const {
  return is_number() ? item_->valuedouble : otherwise;
}

bool Node::boolean(bool otherwise) const {
  return is_boolean() ? cJSON_IsTrue(item_) != 0 : otherwise;
}

// --- Changing objects

Node Node::set(std::string_view name, std::string_view value) const {
  return is_object() ? fill(*this, name, new_text(arena_of(*this), value)) : Node();
}

Node Node::set(std::string_view name, int64_t value) const {
  return set_number(name, static_cast<double>(value));
}

Node Node::set(std::string_view name, bool value) const {
  Item item{};
  item.type = value ? cJSON_True : cJSON_False;
  return fill(*this, name, &item);
}

Node Node::set_number(std::string_view name, double value) const {
  Item item{};
  item.type = cJSON_Number;
  item.valuedouble = value;
  return fill(*this, name, &item);
}

Node Node::set_null(std::string_view name) const {
  Item item{};
  item.type = cJSON_NULL;
  return fill(*this, name, &item);
}

Node Node::set(std::string_view name, Node value) const {
  if (!is_object()) return {};
  if (!value) {
    remove(name);
    return {};
  }
  return fill(*this, name, copy_item(arena_of(*this), Inside::item(value)));
}

Node Node::object(std::string_view name) const {
  const Node child = (*this)[name];
  if (child.is_object()) return child;
  Item item{};
  item.type = cJSON_Object;
  return fill(*this, name, &item);
}

Node Node::array(std::string_view name) const {
  const Node child = (*this)[name];
  if (child.is_array()) return child;
  Item item{};
  item.type = cJSON_Array;
  return fill(*this, name, &item);
}

void Node::remove(std::string_view name) const {
  remove_child((*this)[name]);
}

void Node::prepend(std::string_view name, Node value) const {
  if (!is_object() || !value) return;
  Item* made = copy_item(arena_of(*this), Inside::item(value));
  name_item(arena_of(*this), made, name);
  remove(name);
  Item* parent = Inside::item(*this);
  link_before(parent, parent->first(), made);
}

// --- Changing arrays

Node Node::append(std::string_view value) const {
  return is_array() ? push(*this, new_text(arena_of(*this), value)) : Node();
}

Node Node::append(int64_t value) const {
  return is_array() ? push(*this, new_number(arena_of(*this), static_cast<double>(value))) : Node();
}

Node Node::append(Node value) const {
  if (!is_array() || !value) return {};
  return push(*this, copy_item(arena_of(*this), Inside::item(value)));
}

Node Node::append_object() const {
  return is_array() ? push(*this, new_item(arena_of(*this), cJSON_Object)) : Node();
}

void Node::insert(size_t index, Node value) const {
  Item* parent = array_of(*this);
  if (parent == nullptr || !value) return;
  link_before(parent, Inside::item(at(index)), copy_item(arena_of(*this), Inside::item(value)));
}

// --- Changing any node

void Node::remove_child(Node child) const {
  if (item_ == nullptr || !child) return;
  ASSERT(Inside::item(*this)->is_container());
  unlink(Inside::item(*this), Inside::item(child));
}

void Node::replace_with(Node value) const {
  if (item_ == nullptr || !value) return;
  take_value(Inside::item(*this), copy_item(arena_of(*this), Inside::item(value)));
}

void Node::clear() const {
  if (is_object() || is_array()) item_->child = nullptr;
}

// --- Tree

Tree::Tree() = default;
Tree::~Tree() = default;

Result<Node> Tree::parse(std::string_view text, ParseNotes* notes) {
  root_ = nullptr;
  arena_ = Arena();
  root_ = TRY(Scanner(arena_, text, notes).document());
  return root();
}

Node Tree::make_object() {
  root_ = new_item(arena_, cJSON_Object);
  return root();
}

Node Tree::make_root(Node value) {
  root_ = value ? copy_item(arena_, Inside::item(value)) : nullptr;
  return root();
}

Node Tree::detached(Node value) {
  return value ? Inside::node(copy_item(arena_, Inside::item(value)), this) : Node();
}

Node Tree::detached_object() {
  return Inside::node(new_item(arena_, cJSON_Object), this);
}
Node Tree::detached_array() {
  return Inside::node(new_item(arena_, cJSON_Array), this);
}

bool equal(Node a, Node b) {
  if (!a || !b) return !a && !b;
  return equal_items(Inside::item(a), Inside::item(b));
}

}  // namespace coracle::json
