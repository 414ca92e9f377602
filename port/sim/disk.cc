// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/sim/disk.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "port/sim/vfs.h"

namespace coracle::port_sim {
namespace {

class SimFile : public port::File {
 public:
  SimFile(Platter& platter, Node& node, port::OpenMode mode)
      : platter_(platter),
        node_(node),
        mode_(mode),
        epoch_(platter.epoch()) {
    node_.handles++;
  }
  ~SimFile() override { node_.handles--; }

  Result<size_t> read_at(uint64_t offset, char* out, size_t bytes) override {
    TRY(alive());
    TRY(outcome(platter_.read(node_, offset, out, bytes), "read"));
    return bytes;
  }
  Result<> write_at(uint64_t offset, std::string_view bytes) override {
    TRY(alive());
    if (mode_ == port::OpenMode::kRead) return fail(Code::kIo, "write: file is open for reading");
    return outcome(platter_.write(node_, offset, bytes), "write");
  }
  Result<> append(std::string_view bytes) override { return write_at(node_.bytes.size(), bytes); }
  Result<> sync() override {
    TRY(alive());
    return outcome(platter_.sync(node_), "fdatasync");
  }
  Result<> truncate(uint64_t size) override {
    TRY(alive());
    return outcome(platter_.truncate(node_, size), "truncate");
  }
  Result<uint64_t> size() override {
    TRY(alive());
    return uint64_t{node_.bytes.size()};
  }

 private:
  Result<> alive() const {
    if (epoch_ == platter_.epoch()) return {};
    return trouble_error(Trouble::kPower, "file of an earlier life");
  }

  Platter& platter_;
  Node& node_;
  port::OpenMode mode_;
  uint64_t epoch_;
};

bool creates(port::OpenMode mode) {
  return mode != port::OpenMode::kRead && mode != port::OpenMode::kReadWrite;
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

Error no_such(std::string_view path) {
  return fail(Code::kNotFound, join({path, ": no such file or directory"}));
}

}  // namespace

Error trouble_error(Trouble trouble, std::string_view what) {
  switch (trouble) {
    case Trouble::kFull:
      return fail(Code::kIo, join({what, ": no space left on device"}));
    case Trouble::kPower:
      return fail(Code::kIo, join({what, ": the power is off"}));
    default:
      return fail(Code::kIo, join({what, ": input/output error"}));
  }
}

Result<> outcome(Trouble trouble, std::string_view what) {
  if (trouble == Trouble::kNone) return {};
  return trouble_error(trouble, what);
}

port::FileStat stat_of(const Node& node) {
  return {node.type, node.mode, node.uid, node.gid, node.bytes.size(), node.modified};
}

std::vector<std::string> names_in(const Node& directory) {
  std::vector<std::string> names;
  for (const auto& entry : directory.entries)
    names.push_back(entry.first);
  return names;
}

Result<std::unique_ptr<port::File>> open_place(Platter& platter,
                                               const Place& place,
                                               port::OpenMode mode,
                                               uint32_t permissions) {
  if (!platter.powered()) return trouble_error(Trouble::kPower, "open");
  Node* node = place.node;
  if (node == nullptr) {
    if (!creates(mode) || place.directory == nullptr) return no_such(place.name);
    node = &platter.make(port::FileType::kFile, permissions);
    TRY(outcome(platter.set_entry(*place.directory, place.name, node), place.name));
  } else if (mode == port::OpenMode::kCreateNew) {
    return fail(Code::kAlreadyExists, join({place.name, ": file exists"}));
  } else if (node->type != port::FileType::kFile) {
    return fail(Code::kIo, join({place.name, ": not a regular file"}));
  }
  if (mode == port::OpenMode::kTruncate && !node->bytes.empty()) {
    TRY(outcome(platter.truncate(*node, 0), place.name));
  }
  return std::unique_ptr<port::File>(std::make_unique<SimFile>(platter, *node, mode));
}

Result<> remove_place(Platter& platter, const Place& place) {
  if (place.node == nullptr) return {};
  if (place.directory == nullptr) return fail(Code::kIo, "cannot remove the root");
  while (!place.node->entries.empty()) {
    const auto& [name, child] = *place.node->entries.begin();
    TRY(remove_place(platter, {place.node, name, child}));
  }
  return outcome(platter.set_entry(*place.directory, place.name, nullptr), place.name);
}

SimDisk::SimDisk(uint64_t seed, port::Clock& clock)
    : platter_(seed),
      vfs_(std::make_unique<SqliteVfs>(platter_, clock)) {}

SimDisk::~SimDisk() = default;

const char* SimDisk::sqlite_vfs() const {
  return vfs_->name();
}

Result<Place> SimDisk::find(const std::string& path, LastSymlink last) {
  if (!platter_.powered()) return trouble_error(Trouble::kPower, path);
  return find_place(platter_.root(), path, last, Reach::kAnywhere);
}

Result<std::unique_ptr<port::File>> SimDisk::open(const std::string& path,
                                                  port::OpenMode mode,
                                                  uint32_t permissions) {
  return open_place(platter_, TRY(find(path)), mode, permissions);
}

Result<std::unique_ptr<port::Tree>> SimDisk::tree(const std::string& path) {
  const Place place = TRY(find(path));
  if (place.node == nullptr || place.node->type != port::FileType::kDirectory) return no_such(path);
  return new_tree(platter_, *place.node);
}

Result<std::string> SimDisk::read_file(const std::string& path, size_t bytes_max) {
  const Place place = TRY(find(path));
  if (place.node == nullptr) return no_such(path);
  if (place.node->bytes.size() > bytes_max) {
    return fail(Code::kTooLarge, join({path, ": file too large"}));
  }
  return place.node->bytes;
}

Result<> SimDisk::write_file(const std::string& path,
                             std::string_view bytes,
                             uint32_t permissions) {
  return TRY(open(path, port::OpenMode::kTruncate, permissions))->write_at(0, bytes);
}

Result<> SimDisk::replace_file(const std::string& path,
                               std::string_view bytes,
                               uint32_t permissions) {
  const std::string fresh = path + ".new";
  {
    const auto file = TRY(open(fresh, port::OpenMode::kTruncate, permissions));
    TRY(file->write_at(0, bytes));
    TRY(file->sync());
  }
  TRY(rename(fresh, path));
  return sync_directory(parent_of(path));
}

Result<> SimDisk::make_directories(const std::string& path, uint32_t permissions) {
  std::string so_far;
  for (std::string_view part : split(path, '/')) {
    if (part.empty()) continue;
    so_far += '/';
    so_far += part;
    const Place place = TRY(find(so_far));
    if (place.node == nullptr) {
      Node& made = platter_.make(port::FileType::kDirectory, permissions);
      TRY(outcome(platter_.set_entry(*place.directory, place.name, &made), so_far));
    } else if (place.node->type != port::FileType::kDirectory) {
      return fail(Code::kIo, join({so_far, ": not a directory"}));
    }
  }
  return {};
}

Result<> SimDisk::rename(const std::string& from, const std::string& to) {
  const Place old = TRY(find(from, LastSymlink::kStay));
  const Place target = TRY(find(to, LastSymlink::kStay));
  if (old.node == nullptr || old.directory == nullptr) return no_such(from);
  if (target.directory == nullptr) return fail(Code::kIo, join({to, ": cannot be replaced"}));
  return outcome(platter_.move({old.directory, old.name}, {target.directory, target.name}), from);
}

Result<> SimDisk::remove(const std::string& path) {
  auto found = find(path, LastSymlink::kStay);
  if (!found && found.error().code == Code::kNotFound) return {};
  const Place place = TRY(std::move(found));
  if (place.node == nullptr) return {};
  if (place.node->type == port::FileType::kDirectory) {
    return fail(Code::kIo, join({path, ": is a directory"}));
  }
  return remove_place(platter_, place);
}

Result<> SimDisk::remove_tree(const std::string& path) {
  auto found = find(path, LastSymlink::kStay);
  if (!found && found.error().code == Code::kNotFound) return {};
  return remove_place(platter_, TRY(std::move(found)));
}

Result<> SimDisk::remove_directory(const std::string& path) {
  const Place place = TRY(find(path));
  if (place.node != nullptr && !place.node->entries.empty()) {
    return fail(Code::kIo, join({path, ": directory not empty"}));
  }
  return remove_place(platter_, place);
}

Result<> SimDisk::sync_directory(const std::string& path) {
  const Place place = TRY(find(path));
  if (place.node == nullptr) return no_such(path);
  return outcome(platter_.sync_directory(*place.node), path);
}

Result<port::FileStat> SimDisk::stat(const std::string& path) {
  const Place place = TRY(find(path));
  if (place.node == nullptr) return no_such(path);
  return stat_of(*place.node);
}

Result<std::vector<std::string>> SimDisk::list(const std::string& path) {
  const Place place = TRY(find(path));
  if (place.node == nullptr) return no_such(path);
  return names_in(*place.node);
}

Result<port::Space> SimDisk::space(const std::string&) {
  const uint64_t total = std::min<uint64_t>(platter_.faults.capacity, uint64_t{64} << 30);
  const uint64_t used = std::min(total, platter_.bytes_used());
  return port::Space{total, total - used, 1'000'000, 999'000};
}

void SimDisk::flip_bits(const std::string& path, uint64_t offset, char mask) {
  const auto place = find(path);
  if (!place || place->node == nullptr) return;
  const size_t at = static_cast<size_t>(offset);
  for (std::string* content : {&place->node->bytes, &place->node->durable}) {
    if (at < content->size()) (*content)[at] = static_cast<char>((*content)[at] ^ mask);
  }
}

}  // namespace coracle::port_sim
