// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/layer.h"

#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "node/tar.h"

namespace coracle::node {

namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::string_view kAufsMeta = ".wh..wh.";

// "./usr//bin/" -> "usr/bin"; the root is "". kBadRequest for "..".
Result<std::string> clean_path(std::string_view name) {
  std::string path;
  for (const std::string_view part : split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." || part.find('\0') != std::string_view::npos)
      return fail(Code::kBadRequest, join({"layer entry leaves the image: ", name}));
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string_view base_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

class Unpacker {
 public:
  Unpacker(ByteSource& from, port::Tree& into) : tar_(from), into_(into) {}
  Result<> run(LayerBounds bounds);
  std::vector<std::string> written() const { return {written_.begin(), written_.end()}; }

 private:
  Result<> take(const TarEntry& entry);
  Result<> make_parents(const std::string& path);
  Result<> whiteout(const std::string& parent, std::string_view name);
  Result<> make(const TarEntry& entry, const std::string& path);
  Result<> make_file(const TarEntry& entry, const std::string& path);
  Result<> make_directory(const TarEntry& entry, const std::string& path);
  Result<> dress(const TarEntry& entry, const std::string& path);

  TarReader tar_;
  port::Tree& into_;
  std::set<std::string> directories_;  // known to exist
  std::set<std::string> written_;      // an entry was made in them
  std::vector<std::pair<std::string, Wall>> times_;
};

Result<> Unpacker::run(LayerBounds bounds) {
  TarEntry entry;
  uint64_t entries = 0;
  while (TRY(tar_.next(entry))) {
    if (++entries > bounds.entries_max) return fail(Code::kTooLarge, "layer with too many entries");
    TRY(take(entry).with(entry.name));
  }
  // Last, and the innermost first: making entries changes the time of the directory around them.
  for (size_t i = times_.size(); i-- > 0;)
    TRY(into_.set_modified(times_[i].first, times_[i].second));
  return {};
}

Result<> Unpacker::take(const TarEntry& entry) {
  const std::string path = TRY(clean_path(entry.name));
  if (path.empty()) return {};
  const std::string parent = parent_of(path);
  TRY(make_parents(parent));
  written_.insert(parent);
  const std::string_view base = base_of(path);
  if (base == kOpaque)
    return into_.set_attribute(parent.empty() ? "." : parent, "trusted.overlay.opaque", "y");
  if (base.starts_with(kAufsMeta)) return {};
  if (base.starts_with(kWhiteout)) return whiteout(parent, base.substr(kWhiteout.size()));
  return make(entry, path);
}

Result<> Unpacker::make_parents(const std::string& path) {
  if (path.empty() || directories_.contains(path)) return {};
  TRY(make_parents(parent_of(path)));
  written_.insert(parent_of(path));
  Result<> made = into_.make_directory(path, 0755);
  if (!made) {  // a symlink to a directory will do: the tree does not let it leave
    const port::FileStat found = TRY(into_.stat(path));
    if (found.type != port::FileType::kSymlink) return made;
  }
  directories_.insert(path);
  return {};
}

Result<> Unpacker::whiteout(const std::string& parent, std::string_view name) {
  if (name.empty() || name == "." || name == "..")
    return fail(Code::kBadRequest, "malformed whiteout");
  const std::string path = parent.empty() ? std::string(name) : join({parent, "/", name});
  TRY(into_.remove(path));
  directories_.clear();
  return into_.make_node(path, port::FileType::kCharacterDevice, 0, 0);
}

Result<> Unpacker::make(const TarEntry& entry, const std::string& path) {
  switch (entry.type) {
    case TarType::kCharacterDevice:
    case TarType::kBlockDevice:
      return {};
    case TarType::kDirectory:
      return make_directory(entry, path);
    case TarType::kFile:
      return make_file(entry, path);
    case TarType::kHardLink: {
      const std::string target = TRY(clean_path(entry.link));
      if (target == path) return {};
      TRY(into_.remove(path));
      return into_.make_hard_link(target, path);
    }
    case TarType::kSymlink:
      TRY(into_.remove(path));
      TRY(into_.make_symlink(entry.link, path));
      return into_.set_owner(path, entry.uid, entry.gid);
    case TarType::kFifo:
      TRY(into_.remove(path));
      TRY(into_.make_node(path, port::FileType::kFifo, entry.mode, 0));
      return dress(entry, path);
  }
  return {};
}

Result<> Unpacker::make_directory(const TarEntry& entry, const std::string& path) {
  Result<> made = into_.make_directory(path, entry.mode);
  if (!made) {  // something else is in the way
    TRY(into_.remove(path));
    TRY(into_.make_directory(path, entry.mode));
  }
  directories_.insert(path);
  TRY(dress(entry, path));
  times_.emplace_back(path, entry.modified);
  return {};
}

Result<> Unpacker::make_file(const TarEntry& entry, const std::string& path) {
  TRY(into_.remove(path));
  const std::unique_ptr<port::File> file = TRY(into_.open(path, port::OpenMode::kCreateNew, 0600));
  std::array<char, 32768> buffer;
  while (true) {
    const size_t got = TRY(tar_.read(buffer.data(), buffer.size()));
    if (got == 0) break;
    TRY(file->append({buffer.data(), got}));
  }
  TRY(dress(entry, path));
  TRY(into_.set_modified(path, entry.modified));
  return file->sync();
}

Result<> Unpacker::dress(const TarEntry& entry, const std::string& path) {
  TRY(into_.set_owner(path, entry.uid,
                      entry.gid));  // first: it clears set-id bits and capabilities
  TRY(into_.set_mode(path, entry.mode));
  for (const auto& [name, value] : entry.attributes) {
    if (name == "security.capability" || name.starts_with("user."))
      TRY(into_.set_attribute(path, name, value));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> unpack_layer(ByteSource& from,
                                              port::Tree& into,
                                              LayerBounds bounds) {
  Unpacker unpacker(from, into);
  TRY(unpacker.run(bounds));
  return unpacker.written();
}

}  // namespace coracle::node
