// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/atomic_files.h"

#include <algorithm>
#include <set>

#include "base/bytes.h"

namespace coracle::node {

namespace {

constexpr std::string_view kData = "..data";
constexpr size_t kDepthMax = 16;

Result<> check_path(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.size() > 4096)
    return fail(Code::kBadRequest, join({"invalid path \"", path, "\""}));
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == "." || part == "..")
      return fail(Code::kBadRequest, join({"invalid path \"", path, "\": must not contain '..'"}));
  }
  if (path.starts_with(".."))
    return fail(Code::kBadRequest, join({"invalid path \"", path, "\": must not start with '..'"}));
  return {};
}

std::string top_of(std::string_view path) {
  return std::string(path.substr(0, path.find('/')));
}

class Writer {
 public:
  Writer(port::Tree& tree, const AtomicFiles& wanted, Wall now)
      : tree_(tree),
        wanted_(wanted),
        now_(now) {}
  Result<bool> run();

 private:
  bool is_current(const std::string& from);
  bool same_file(const std::string& path, const AtomicFile& file);
  size_t count_files(const std::string& directory, size_t depth);
  Result<std::string> write_set();
  Result<> write_one(const std::string& directory, const AtomicFile& file);
  Result<> swap(const std::string& fresh);
  Result<> link_names();

  uint32_t mode_of(const AtomicFile& file) const {
    return wanted_.group ? file.mode | 0440 : file.mode;
  }

  port::Tree& tree_;
  const AtomicFiles& wanted_;
  Wall now_;
};

Result<bool> Writer::run() {
  for (const AtomicFile& file : wanted_.files)
    TRY(check_path(file.path));
  const Result<std::string> before = tree_.read_link(std::string(kData));
  if (before && is_current(*before)) {
    TRY(link_names());
    return false;
  }
  const std::string fresh = TRY(write_set());
  TRY(swap(fresh));
  TRY(link_names());
  if (before && *before != fresh) TRY(tree_.remove(*before));
  return true;
}

bool Writer::is_current(const std::string& from) {
  if (count_files(from, 0) != wanted_.files.size()) return false;
  return std::all_of(wanted_.files.begin(), wanted_.files.end(), [&](const AtomicFile& file) {
    return same_file(join({from, "/", file.path}), file);
  });
}

size_t Writer::count_files(const std::string& directory, size_t depth) {
  const Result<std::vector<std::string>> names = tree_.list(directory);
  if (!names || depth > kDepthMax) return SIZE_MAX / 2;
  size_t count = 0;
  for (const std::string& name : *names) {
    const std::string path = join({directory, "/", name});
    const Result<port::FileStat> found = tree_.stat(path);
    if (found && found->type == port::FileType::kDirectory)
      count += count_files(path, depth + 1);
    else
      ++count;
  }
  return count;
}

bool Writer::same_file(const std::string& path, const AtomicFile& file) {
  const Result<port::FileStat> found = tree_.stat(path);
  if (!found || found->type != port::FileType::kFile) return false;
  if (found->size != file.content.size() || found->mode != mode_of(file)) return false;
  if (file.uid && found->uid != *file.uid) return false;
  Result<std::unique_ptr<port::File>> opened = tree_.open(path, port::OpenMode::kRead, 0);
  if (!opened) return false;
  std::string content(file.content.size(), '\0');
  const Result<size_t> got = (*opened)->read_at(0, content.data(), content.size());
  return got && *got == content.size() && content == file.content;
}

// ..2026_11_20_21_59_01.000123456
std::string set_name(Wall now) {
  std::string name = ".." + rfc3339_nano(now);
  for (char& c : name) {
    if (c == '-' || c == 'T' || c == ':') c = '_';
  }
  name.pop_back();
  return name;
}

Result<std::string> Writer::write_set() {
  std::string directory = set_name(now_);
  while (tree_.stat(directory))
    directory += "0";
  TRY(tree_.make_directory(directory, 0755));
  TRY(tree_.set_mode(directory, 0755));
  for (const AtomicFile& file : wanted_.files)
    TRY(write_one(directory, file));
  return directory;
}

Result<> Writer::write_one(const std::string& directory, const AtomicFile& file) {
  for (size_t slash = file.path.find('/'); slash != std::string::npos;
       slash = file.path.find('/', slash + 1)) {
    const std::string parent = join({directory, "/", file.path.substr(0, slash)});
    TRY(tree_.make_directory(parent, 0755));
    TRY(tree_.set_mode(parent, 0755));
  }
  const std::string path = join({directory, "/", file.path});
  {
    const std::unique_ptr<port::File> out = TRY(tree_.open(path, port::OpenMode::kCreateNew, 0600));
    TRY(out->append(file.content));
  }
  if (file.uid || wanted_.group)
    TRY(tree_.set_owner(path, file.uid.value_or(0), wanted_.group.value_or(0)));
  return tree_.set_mode(path, mode_of(file));
}

Result<> Writer::swap(const std::string& fresh) {
  const std::string link = "..data_tmp";
  TRY(tree_.remove(link));
  TRY(tree_.make_symlink(fresh, link));
  return tree_.rename(link, std::string(kData));
}

Result<> Writer::link_names() {
  std::set<std::string> tops;
  for (const AtomicFile& file : wanted_.files)
    tops.insert(top_of(file.path));
  for (const std::string& top : tops) {
    if (!tree_.stat(top)) TRY(tree_.make_symlink(join({kData, "/", top}), top));
  }
  const std::vector<std::string> names = TRY(tree_.list("."));
  for (const std::string& name : names) {
    if (!name.starts_with("..") && !tops.contains(name)) TRY(tree_.remove(name));
  }
  return {};
}

}  // namespace

Result<bool> write_atomically(port::Disk& disk,
                              const std::string& directory,
                              const AtomicFiles& wanted,
                              Wall now) {
  const std::unique_ptr<port::Tree> tree = TRY(disk.tree(directory));
  return Writer(*tree, wanted, now).run();
}

}  // namespace coracle::node
