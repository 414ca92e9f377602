// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/node_set.h"

#include <algorithm>

namespace coracle::raft {

NodeSet::NodeSet(std::initializer_list<NodeId> ids) {
  for (NodeId id : ids)
    insert(id);
}

NodeSet::NodeSet(const std::vector<NodeId>& ids) {
  for (NodeId id : ids)
    insert(id);
}

bool NodeSet::has(NodeId id) const {
  return std::binary_search(ids_.begin(), ids_.end(), id);
}

void NodeSet::insert(NodeId id) {
  auto at = std::lower_bound(ids_.begin(), ids_.end(), id);
  if (at == ids_.end() || *at != id) ids_.insert(at, id);
}

void NodeSet::erase(NodeId id) {
  auto at = std::lower_bound(ids_.begin(), ids_.end(), id);
  if (at != ids_.end() && *at == id) ids_.erase(at);
}

std::string NodeSet::text() const {
  std::string text = "(";
  for (NodeId id : ids_) {
    if (text.size() > 1) text += ' ';
    text += std::to_string(id);
  }
  return text + ")";
}

NodeSet united(const NodeSet& a, const NodeSet& b) {
  NodeSet all = a;
  for (NodeId id : b)
    all.insert(id);
  return all;
}

size_t differences(const NodeSet& a, const NodeSet& b) {
  size_t count = 0;
  for (NodeId id : a)
    count += b.has(id) ? 0 : 1;
  for (NodeId id : b)
    count += a.has(id) ? 0 : 1;
  return count;
}

}  // namespace coracle::raft
