// SPDX-License-Identifier: GPL-2.0-or-later
// A set of node ids, kept sorted in one small vector: a cluster has at most a few dozen members,
// and everything that walks a set (votes, messages, texts) must do so in the same order on every
// node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace coracle::raft {

using NodeId = uint64_t;

inline constexpr NodeId kNobody = 0;

class NodeSet {
 public:
  NodeSet() = default;
  NodeSet(std::initializer_list<NodeId> ids);
  explicit NodeSet(const std::vector<NodeId>& ids);

  bool has(NodeId id) const;
  void insert(NodeId id);
  void erase(NodeId id);
  void clear() { ids_.clear(); }
  bool empty() const { return ids_.empty(); }
  size_t size() const { return ids_.size(); }
  auto begin() const { return ids_.begin(); }
  auto end() const { return ids_.end(); }
  const std::vector<NodeId>& ids() const { return ids_; }
  std::string text() const;  // "(1 2 3)"

  friend bool operator==(const NodeSet&, const NodeSet&) = default;

 private:
  std::vector<NodeId> ids_;
};

NodeSet united(const NodeSet& a, const NodeSet& b);
size_t differences(const NodeSet& a, const NodeSet& b);  // ids in exactly one of the two

}  // namespace coracle::raft
