// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/memory.h"

#include "base/bytes.h"

namespace coracle::client {

namespace {

constexpr std::string_view kHead = "coracle-memory 1 ";
constexpr size_t kFileBytesMax = 64 * 1024 * 1024;

std::string checksum(std::string_view text) {
  std::string bytes;
  put_u32(bytes, crc32c(text));
  return hex(bytes);
}

Result<api::ObjectRef> read_line(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t second = first == line.npos ? line.npos : line.find(' ', first + 1);
  const size_t third = second == line.npos ? line.npos : line.find(' ', second + 1);
  if (third == line.npos) return fail(Code::kCorrupt, "a line is cut");
  const std::string_view api_version = line.substr(0, first);
  const size_t slash = api_version.find('/');
  const bool core = slash == api_version.npos;
  const api::Kind* kind = api::find_kind(core ? "" : api_version.substr(0, slash),
                                         core ? api_version : api_version.substr(slash + 1),
                                         line.substr(first + 1, second - first - 1));
  if (kind == nullptr) return api::ObjectRef();
  const auto version = parse_unsigned(line.substr(second + 1, third - second - 1));
  if (!version) return fail(Code::kCorrupt, "a version is no number");
  return api::make_object(*kind, std::string(line.substr(third + 1)), *version);
}

}  // namespace

Result<std::vector<api::ObjectRef>> read_memory(port::Disk& disk, const std::string& path) {
  const std::string text = TRY(disk.read_file(path, kFileBytesMax));
  const size_t end = text.find('\n');
  if (end == text.npos || !text.starts_with(kHead))
    return fail(Code::kCorrupt, path + ": not a memory of this form");
  const std::string_view rest = std::string_view(text).substr(end + 1);
  if (std::string_view(text).substr(kHead.size(), end - kHead.size()) != checksum(rest))
    return fail(Code::kCorrupt, path + ": checksum does not match");
  std::vector<api::ObjectRef> objects;
  for (const std::string_view line : split(rest, '\n')) {
    if (line.empty()) continue;
    api::ObjectRef object = TRY(read_line(line).with(path));
    if (object) objects.push_back(std::move(object));
  }
  return objects;
}

std::string memory_text(const api::State& state, const std::vector<const api::Kind*>& kinds) {
  std::string rest;
  for (const api::Kind* kind : kinds) {
    const std::string head = join({api::group_version(*kind), " ", kind->plural, " "});
    api::for_each(state, *kind, {}, [&](const api::ObjectRef& object) {
      rest += join({head, std::to_string(object->version()), " ", object->text(), "\n"});
    });
  }
  return join({kHead, checksum(rest), "\n", rest});
}

}  // namespace coracle::client
