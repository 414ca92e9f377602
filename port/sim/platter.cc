// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/sim/platter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace coracle::port_sim {

Platter::Platter(uint64_t seed) : dice_(seed) {
  root_ = &make(port::FileType::kDirectory, 0755);
}

Node& Platter::make(port::FileType type, uint32_t mode) {
  if (nodes_.size() > 4096 && (nodes_.size() & 4095) == 0) sweep();
  nodes_.push_back(std::make_unique<Node>());
  Node& node = *nodes_.back();
  node.type = type;
  node.mode = mode;
  return node;
}

// The operation at which the power fails is begun (its changes count as unsynced) but never
// answered.
Trouble Platter::begin_operation() {
  if (!powered_) return Trouble::kPower;
  operations_++;
  if (faults.power_off_at != 0 && operations_ >= faults.power_off_at) powered_ = false;
  const bool struck =
      faults.io_errors_last ? operations_ >= faults.io_error_at : operations_ == faults.io_error_at;
  return faults.io_error_at != 0 && struck ? Trouble::kIo : Trouble::kNone;
}

Trouble Platter::read(const Node& file, uint64_t offset, char* out, size_t& bytes) {
  if (!powered_) return Trouble::kPower;
  const uint64_t size = file.bytes.size();
  bytes = offset >= size ? 0 : std::min<size_t>(bytes, static_cast<size_t>(size - offset));
  if (bytes > 0) std::memcpy(out, file.bytes.data() + offset, bytes);
  return Trouble::kNone;
}

void Platter::apply(std::string& content, const Write& write, size_t from, size_t bytes) const {
  if (write.truncates) {
    content.resize(static_cast<size_t>(write.offset));
    return;
  }
  const size_t at = static_cast<size_t>(write.offset) + from;
  if (content.size() < at + bytes) content.resize(at + bytes);
  std::memcpy(content.data() + at, write.bytes.data() + from, bytes);
}

Trouble Platter::write(Node& file, uint64_t offset, std::string_view bytes) {
  const Trouble trouble = begin_operation();
  if (trouble != Trouble::kNone) return trouble;
  const uint64_t end = offset + bytes.size();
  const uint64_t grown = end > file.bytes.size() ? end - file.bytes.size() : 0;
  if (grown > 0 && used_ + grown > faults.capacity) return Trouble::kFull;
  used_ += grown;
  file.unsynced.push_back({offset, std::string(bytes), false});
  apply(file.bytes, file.unsynced.back(), 0, bytes.size());
  return powered_ ? Trouble::kNone : Trouble::kPower;
}

Trouble Platter::truncate(Node& file, uint64_t size) {
  const Trouble trouble = begin_operation();
  if (trouble != Trouble::kNone) return trouble;
  if (size > file.bytes.size() && used_ + size - file.bytes.size() > faults.capacity) {
    return Trouble::kFull;
  }
  used_ = used_ + size - file.bytes.size();
  file.unsynced.push_back({size, {}, true});
  apply(file.bytes, file.unsynced.back(), 0, 0);
  return powered_ ? Trouble::kNone : Trouble::kPower;
}

// After a failed sync the kernel takes the pages for clean: what of them reached the disk is
// chance, and no later sync writes the rest.
Trouble Platter::sync(Node& file) {
  const Trouble trouble = begin_operation();
  if (trouble == Trouble::kIo) keep_some(file, 50);
  if (trouble != Trouble::kNone) return trouble;
  if (!powered_) return Trouble::kPower;
  syncs_++;
  if (faults.ignores_syncs) return Trouble::kNone;
  for (const Write& write : file.unsynced)
    apply(file.durable, write, 0, write.bytes.size());
  file.unsynced.clear();
  return Trouble::kNone;
}

void Platter::keep_some(Node& file, uint32_t percent) {
  for (const Write& write : file.unsynced) {
    if (write.truncates && dice_.chance(percent)) apply(file.durable, write, 0, 0);
    size_t from = 0;
    while (from < write.bytes.size()) {
      const size_t in_sector = static_cast<size_t>((write.offset + from) % kSectorBytes);
      const size_t part = std::min(write.bytes.size() - from, kSectorBytes - in_sector);
      if (dice_.chance(percent)) apply(file.durable, write, from, part);
      from += part;
    }
  }
  file.unsynced.clear();
}

bool Platter::DirectoryOperation::touches(const Node& directory) const {
  return std::any_of(changes.begin(), changes.end(),
                     [&](const EntryChange& change) { return change.directory == &directory; });
}

void Platter::make_durable(const DirectoryOperation& operation) {
  for (const EntryChange& change : operation.changes) {
    if (change.node != nullptr) {
      change.directory->durable_entries[change.name] = change.node;
    } else {
      change.directory->durable_entries.erase(change.name);
    }
  }
}

void Platter::enter(DirectoryOperation operation) {
  for (const EntryChange& change : operation.changes) {
    const auto old = change.directory->entries.find(change.name);
    if (old != change.directory->entries.end() && old->second != change.node &&
        old->second->handles == 0 && old->second->type == port::FileType::kFile) {
      used_ -= std::min<uint64_t>(used_, old->second->bytes.size());
    }
    if (change.node != nullptr) {
      change.directory->entries[change.name] = change.node;
    } else {
      change.directory->entries.erase(change.name);
    }
  }
  unsynced_entries_.push_back(std::move(operation));
}

Trouble Platter::set_entry(Node& directory, const std::string& name, Node* node) {
  const Trouble trouble = begin_operation();
  if (trouble != Trouble::kNone) return trouble;
  enter({{{&directory, name, node}}});
  return powered_ ? Trouble::kNone : Trouble::kPower;
}

Trouble Platter::move(const Name& from, const Name& to) {
  const Trouble trouble = begin_operation();
  if (trouble != Trouble::kNone) return trouble;
  Node* node = from.directory->entries.find(from.name)->second;
  from.directory->entries.erase(from.name);  // so that enter() does not take the file for deleted
  enter({{{from.directory, from.name, nullptr}, {to.directory, to.name, node}}});
  return powered_ ? Trouble::kNone : Trouble::kPower;
}

Trouble Platter::sync_directory(Node& directory) {
  const Trouble trouble = begin_operation();
  if (trouble != Trouble::kNone) return trouble;
  if (!powered_) return Trouble::kPower;
  syncs_++;
  if (faults.ignores_syncs) return Trouble::kNone;
  for (const DirectoryOperation& operation : unsynced_entries_) {
    if (operation.touches(directory)) make_durable(operation);
  }
  std::erase_if(unsynced_entries_,
                [&](const DirectoryOperation& operation) { return operation.touches(directory); });
  return Trouble::kNone;
}

void Platter::power_on() {
  constexpr uint32_t kShares[] = {0, 50, 100, 10, 90};
  const uint32_t percent = kShares[dice_.below(std::size(kShares))];
  for (const DirectoryOperation& operation : unsynced_entries_) {
    if (dice_.chance(percent)) make_durable(operation);
  }
  unsynced_entries_.clear();
  used_ = 0;
  for (const auto& node : nodes_) {
    keep_some(*node, percent);
    node->bytes = node->durable;
    node->entries = node->durable_entries;
    node->locks = SharedLocks{};
  }
  powered_ = true;
  epoch_++;
  faults.power_off_at = 0;
  sweep();
  for (const auto& node : nodes_)
    used_ += node->bytes.size();
}

void Platter::mark(Node& node) {
  if (node.marked) return;
  node.marked = true;
  for (const auto& entry : node.entries)
    mark(*entry.second);
  for (const auto& entry : node.durable_entries)
    mark(*entry.second);
}

void Platter::sweep() {
  for (const auto& node : nodes_)
    node->marked = false;
  mark(*root_);
  for (const auto& node : nodes_) {
    if (node->handles > 0) mark(*node);
  }
  for (const DirectoryOperation& operation : unsynced_entries_) {
    for (const EntryChange& change : operation.changes) {
      mark(*change.directory);
      if (change.node != nullptr) mark(*change.node);
    }
  }
  std::erase_if(nodes_, [](const std::unique_ptr<Node>& node) { return !node->marked; });
}

}  // namespace coracle::port_sim
