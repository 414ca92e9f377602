// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/tar.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes.h"

namespace coracle::node {

namespace {

constexpr size_t kBlock = 512;
constexpr size_t kHeaderContentMax = 256 * 1024;  // of a PAX header or a long name
constexpr size_t kPathBytesMax = 4096;
constexpr size_t kAttributesMax = 64;
constexpr std::string_view kXattr = "SCHILY.xattr.";
constexpr uint64_t kSizeMax = uint64_t{1} << 40;

std::string_view text_at(const char* at, size_t bytes) {
  return {at, static_cast<size_t>(std::find(at, at + bytes, '\0') - at)};
}

// Octal text, or base 256 when the first bit is set (GNU). Negative values are not accepted.
std::optional<uint64_t> number_at(const char* at, size_t bytes) {
  uint64_t value = 0;
  if ((static_cast<uint8_t>(at[0]) & 0x80) != 0) {
    if ((static_cast<uint8_t>(at[0]) & 0x40) != 0) return std::nullopt;
    value = static_cast<uint8_t>(at[0]) & 0x3F;
    for (size_t i = 1; i < bytes; ++i) {
      if (value >> 55 != 0) return std::nullopt;
      value = value << 8 | static_cast<uint8_t>(at[i]);
    }
    return value;
  }
  for (const char c : trim(text_at(at, bytes))) {
    if (c < '0' || c > '7' || value >> 60 != 0) return std::nullopt;
    value = value << 3 | static_cast<uint64_t>(c - '0');
  }
  return value;
}

bool checksum_fits(const char* block) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    const bool in_field = i >= 148 && i < 156;
    sum += in_field ? ' ' : static_cast<uint8_t>(block[i]);
  }
  return number_at(block + 148, 8) == sum;
}

std::optional<TarType> type_of(char flag) {
  switch (flag) {
    case '0':
    case '\0':
    case '7':
      return TarType::kFile;
    case '1':
      return TarType::kHardLink;
    case '2':
      return TarType::kSymlink;
    case '3':
      return TarType::kCharacterDevice;
    case '4':
      return TarType::kBlockDevice;
    case '5':
      return TarType::kDirectory;
    case '6':
      return TarType::kFifo;
    default:
      return std::nullopt;
  }
}

// "1700000000.25"
std::optional<Wall> parse_seconds(std::string_view text) {
  const size_t dot = std::min(text.find('.'), text.size());
  const auto whole = parse_signed(text.substr(0, dot));
  if (!whole || *whole > (int64_t{1} << 33) || *whole < 0) return std::nullopt;
  int64_t nanos = 0;
  int64_t unit = 100'000'000;
  for (const char c : text.substr(std::min(dot + 1, text.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    nanos += (c - '0') * unit;
    unit /= 10;
  }
  return Wall{*whole * 1'000'000'000 + nanos};
}

}  // namespace

// What headers before the real one said about it.
struct TarReader::Extra {
  std::optional<std::string> name;
  std::optional<std::string> link;
  std::optional<uint64_t> size;
  std::optional<uint64_t> uid;
  std::optional<uint64_t> gid;
  std::optional<Wall> modified;
  std::vector<std::pair<std::string, std::string>> attributes;

  Result<> take(std::string_view key, std::string_view value);
};

Result<> TarReader::Extra::take(std::string_view key, std::string_view value) {
  if (key == "path") name = std::string(value);
  if (key == "linkpath") link = std::string(value);
  if (key == "size") size = parse_unsigned(value);
  if (key == "uid") uid = parse_unsigned(value);
  if (key == "gid") gid = parse_unsigned(value);
  if (key == "mtime") modified = parse_seconds(value);
  if (key.starts_with("GNU.sparse"))
    return fail(Code::kBadRequest, "sparse files in tar are not supported");
  if (key.starts_with(kXattr) && attributes.size() < kAttributesMax)
    attributes.emplace_back(key.substr(kXattr.size()), value);
  return {};
}

Result<bool> TarReader::next(TarEntry& entry) {
  Extra extra;
  while (true) {
    TRY(skip_content());
    char flag = 0;
    if (!TRY(header(entry, flag))) return false;
    if (flag == 'x') {
      TRY(pax(extra, entry.size));
    } else if (flag == 'g') {
      continue;  // global headers carry comments only
    } else if (flag == 'L') {
      extra.name = std::string(text_at(TRY(small_content(entry.size)).c_str(), kPathBytesMax));
    } else if (flag == 'K') {
      extra.link = std::string(text_at(TRY(small_content(entry.size)).c_str(), kPathBytesMax));
    } else {
      const auto type = type_of(flag);
      if (!type) return fail(Code::kBadRequest, join({"tar entry of unknown type: ", entry.name}));
      entry.type = *type;
      break;
    }
  }
  if (extra.name) entry.name = std::move(*extra.name);
  if (extra.link) entry.link = std::move(*extra.link);
  if (extra.size) entry.size = *extra.size;
  if (extra.uid) entry.uid = static_cast<uint32_t>(*extra.uid);
  if (extra.gid) entry.gid = static_cast<uint32_t>(*extra.gid);
  if (extra.modified) entry.modified = *extra.modified;
  entry.attributes = std::move(extra.attributes);
  if (entry.type != TarType::kFile) entry.size = 0;
  if (entry.size > kSizeMax || entry.name.size() > kPathBytesMax ||
      entry.link.size() > kPathBytesMax)
    return fail(Code::kCorrupt, "tar entry out of bounds");
  entry.offset = at_;
  content_left_ = entry.size;
  padding_left_ = (kBlock - entry.size % kBlock) % kBlock;
  return true;
}

Result<bool> TarReader::header(TarEntry& entry, char& flag) {
  std::array<char, kBlock> block;
  const size_t got = TRY(from_.read(block.data(), kBlock));
  if (got == 0) return false;  // some writers leave out the two closing blocks
  TRY(read_all(from_, block.data() + got, kBlock - got));
  at_ += kBlock;
  if (std::all_of(block.begin(), block.end(), [](char c) { return c == 0; })) return false;
  const char* at = block.data();
  if (!checksum_fits(at)) return fail(Code::kCorrupt, "tar header with a wrong checksum");
  const auto mode = number_at(at + 100, 8);
  const auto uid = number_at(at + 108, 8);
  const auto gid = number_at(at + 116, 8);
  const auto size = number_at(at + 124, 12);
  const auto modified = number_at(at + 136, 12);
  if (!mode || !size) return fail(Code::kCorrupt, "tar header with malformed numbers");
  const bool is_ustar = std::string_view(at + 257, 5) == "ustar";
  const std::string_view prefix = is_ustar && at[262] == '\0' ? text_at(at + 345, 155) : "";
  entry.name =
      prefix.empty() ? std::string(text_at(at, 100)) : join({prefix, "/", text_at(at, 100)});
  entry.link = text_at(at + 157, 100);
  entry.mode = static_cast<uint32_t>(*mode) & 07777;
  entry.uid = static_cast<uint32_t>(uid.value_or(0));
  entry.gid = static_cast<uint32_t>(gid.value_or(0));
  entry.size = *size;
  entry.modified =
      Wall{static_cast<int64_t>(std::min<uint64_t>(modified.value_or(0), uint64_t{1} << 33)) *
           1'000'000'000};
  flag = at[156];
  const bool is_meta = flag == 'x' || flag == 'g' || flag == 'L' || flag == 'K';
  if (is_meta && entry.size > kHeaderContentMax)
    return fail(Code::kCorrupt, "tar header too large");
  if (flag == 'g') {
    content_left_ = entry.size;
    padding_left_ = (kBlock - entry.size % kBlock) % kBlock;
  }
  return true;
}

Result<std::string> TarReader::small_content(uint64_t size) {
  std::string content(static_cast<size_t>(size), '\0');
  content_left_ = size;
  padding_left_ = (kBlock - size % kBlock) % kBlock;
  size_t have = 0;
  while (have < content.size()) {
    const size_t got = TRY(read(content.data() + have, content.size() - have));
    if (got == 0) return fail(Code::kCorrupt, "unexpected end of archive");
    have += got;
  }
  return content;
}

// Records of the form "<length> <key>=<value>\n".
Result<> TarReader::pax(Extra& extra, uint64_t size) {
  const std::string content = TRY(small_content(size));
  std::string_view rest = content;
  while (!rest.empty()) {
    const size_t space = rest.find(' ');
    if (space == std::string_view::npos) break;
    const auto length = parse_unsigned(rest.substr(0, space));
    if (!length || *length <= space + 1 || *length > rest.size() || rest[*length - 1] != '\n')
      return fail(Code::kCorrupt, "malformed PAX header");
    const std::string_view record = rest.substr(space + 1, *length - space - 2);
    const size_t equal = record.find('=');
    if (equal == std::string_view::npos) return fail(Code::kCorrupt, "malformed PAX header");
    TRY(extra.take(record.substr(0, equal), record.substr(equal + 1)));
    rest.remove_prefix(*length);
  }
  return {};
}

Result<size_t> TarReader::read(char* out, size_t bytes) {
  const size_t want = static_cast<size_t>(std::min<uint64_t>(bytes, content_left_));
  if (want == 0) return size_t{0};
  const size_t got = TRY(from_.read(out, want));
  if (got == 0) return fail(Code::kCorrupt, "unexpected end of archive");
  at_ += got;
  content_left_ -= got;
  return got;
}

Result<> TarReader::skip_content() {
  std::array<char, 8192> buffer;
  uint64_t left = content_left_ + padding_left_;
  content_left_ = padding_left_ = 0;
  while (left > 0) {
    const size_t part = static_cast<size_t>(std::min<uint64_t>(left, buffer.size()));
    TRY(read_all(from_, buffer.data(), part));
    at_ += part;
    left -= part;
  }
  return {};
}

}  // namespace coracle::node
