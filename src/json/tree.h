// SPDX-License-Identifier: GPL-2.0-or-later
// A JSON tree inside an arena, for the life of one request or plan. Objects at rest are text
// (ARCHITECTURE D4).
//
// Node is a borrowed, nullable handle (two words): reading through a null Node gives null Nodes and
// defaults, so `pod["spec"]["nodeName"].string()` needs no checks. Nodes die with their Tree.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/result.h"

struct cJSON;

namespace coracle::json {

class Tree;
struct Inside;  // item.h: the room's own access to what Node and Tree hold

class Node {
 public:
  Node() = default;
  explicit operator bool() const { return item_ != nullptr; }  // present (JSON null is present)
  friend bool operator==(Node a, Node b) { return a.item_ == b.item_; }

  bool is_object() const;
  bool is_array() const;
  bool is_string() const;
  bool is_number() const;   // any number
  bool is_integer() const;  // a whole number within +-2^53
  bool is_boolean() const;
  bool is_null() const;  // present and JSON null

  std::string_view key() const;                  // name inside the parent object
  Node operator[](std::string_view name) const;  // child of an object; null Node if there is none
  Node at(size_t index) const;                   // child of an array (linear)
  size_t size() const;                           // children
  Node first() const;                            // children of objects and arrays in order
  Node next() const;

  std::string_view string(std::string_view otherwise = {}) const;
  int64_t integer(int64_t otherwise = 0) const;  // fractions are cut
  double number(double otherwise = 0) const;
  bool boolean(bool otherwise = false) const;

  // Range-for over children: for (Node child : node). The next child is fetched before the body
  // runs, so the body may remove or replace the current one.
  class Iterator;
  Iterator begin() const;
  Iterator end() const;

  // --- Changing. On a null Node or one of another type these do nothing and return a null Node: a
  // user's
  // `"spec": "text"` must not crash the code that fills in defaults. A null Node as value means
  // absent: set removes, append and insert do nothing.

  // --- On objects; each replaces an existing child in place (order kept) and returns the new
  // child.
  Node set(std::string_view name, std::string_view value) const;
  Node set(std::string_view name, const char* value) const {
    return set(name, std::string_view(value));
  }
  Node set(std::string_view name, int64_t value) const;
  Node set(std::string_view name, int value) const { return set(name, int64_t{value}); }
  Node set(std::string_view name, bool value) const;
  Node set_number(std::string_view name, double value) const;
  Node set_null(std::string_view name) const;
  Node set(std::string_view name, Node value) const;  // deep copy (value may be of another tree)
  Node object(std::string_view name) const;  // the child object, made if absent or not an object
  Node array(std::string_view name) const;   // likewise
  void remove(std::string_view name) const;  // absent is fine
  void prepend(std::string_view name, Node value) const;  // deep copy, as first child

  // --- On arrays.
  Node append(std::string_view value) const;
  Node append(int64_t value) const;
  Node append(Node value) const;  // deep copy
  Node append_object() const;
  void insert(size_t index, Node value) const;  // deep copy; index <= size()

  // --- On any node.
  void remove_child(Node child) const;  // of this object or array
  void replace_with(Node value) const;  // becomes a deep copy of value; keeps its key
  void clear() const;                   // of an object or array: no children

 private:
  friend class Tree;
  friend struct Inside;
  Node(cJSON* item, Tree* tree) : item_(item), tree_(tree) {}
  cJSON* item_ = nullptr;
  Tree* tree_ = nullptr;
};

class Node::Iterator {
 public:
  explicit Iterator(Node at) : at_(at), next_(at.next()) {}
  Node operator*() const { return at_; }
  Iterator& operator++() {
    at_ = next_;
    next_ = at_.next();
    return *this;
  }
  friend bool operator!=(const Iterator& a, const Iterator& b) { return !(a.at_ == b.at_); }

 private:
  Node at_;
  Node next_;
};
inline Node::Iterator Node::begin() const {
  return Iterator(first());
}
inline Node::Iterator Node::end() const {
  return Iterator(Node());
}

struct ParseNotes {
  std::vector<std::string>
      duplicates;  // paths of duplicate keys, as strict decoding names them: `spec.replicas`
};

// Not movable: Nodes point to it.
class Tree {
 public:
  Tree();
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  // Strict RFC 8259 with the bounds of limits.h; 400 BadRequest for anything else (trailing bytes,
  // NUL, bad UTF-8, integers beyond +-2^53, depth, size). Of duplicate keys the last one counts;
  // notes lists them. Replaces the content of this tree.
  Result<Node> parse(std::string_view text, ParseNotes* notes = nullptr);
  // YAML 1.1 as Kubernetes takes it, one document, no anchors or aliases, same bounds.
  Result<Node> parse_yaml(std::string_view text, ParseNotes* notes = nullptr);

  Node root() const { return Node(root_, const_cast<Tree*>(this)); }
  Node make_object();          // becomes the root
  Node make_root(Node value);  // becomes the root: a deep copy
  Node detached(Node value);   // a deep copy that hangs nowhere, owned by this tree
  Node detached_object();
  Node detached_array();

 private:
  friend struct Inside;
  Arena arena_;
  cJSON* root_ = nullptr;
};

bool equal(Node a, Node b);  // same JSON value; order of object members does not matter

std::string write(Node node);  // compact
void write_to(std::string& out, Node node);
std::string write_pretty(Node node);  // two-space indent, for people
// One JSON string with quotes; escapes & < > as \u00XX like Go. NUL and bytes that are not UTF-8
// become U+FFFD, so that what is written can always be parsed again.
void write_string(std::string& out, std::string_view text);
void write_number(std::string& out,
                  double value);    // shortest text that reads back the same; whole ones plain
std::string write_yaml(Node node);  // as kubectl prints it, members sorted by name

}  // namespace coracle::json
