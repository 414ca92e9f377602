// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/source.h"

#include <algorithm>
#include <array>

#include <zlib.h>

#include "base/bytes.h"

namespace coracle::node {

namespace {
constexpr int kGzipOnly = 16;  // added to the window bits: no zlib or raw streams
}  // namespace

Result<> read_all(ByteSource& source, char* out, size_t bytes) {
  while (bytes > 0) {
    const size_t got = TRY(source.read(out, bytes));
    if (got == 0) return fail(Code::kCorrupt, "unexpected end of archive");
    out += got;
    bytes -= got;
  }
  return {};
}

Result<std::string> read_whole(ByteSource& source, size_t bytes_max) {
  std::string all;
  std::array<char, 8192> buffer;
  while (true) {
    const size_t got = TRY(source.read(buffer.data(), buffer.size()));
    if (got == 0) return all;
    if (all.size() + got > bytes_max)
      return fail(Code::kTooLarge, "part of the archive is too large");
    all.append(buffer.data(), got);
  }
}

Result<size_t> FileSource::read(char* out, size_t bytes) {
  const size_t want = static_cast<size_t>(std::min<uint64_t>(bytes, left_));
  if (want == 0) return size_t{0};
  const size_t got = TRY(file_.read_at(at_, out, want));
  at_ += got;
  left_ -= got;
  return got;
}

Result<size_t> HashedSource::read(char* out, size_t bytes) {
  const size_t got = TRY(from_.read(out, bytes));
  sha_.add({out, got});
  bytes_ += got;
  if (bytes_ > bytes_max_)
    return fail(Code::kTooLarge, "the image unpacks to more than is allowed");
  return got;
}

Result<> HashedSource::drain() {
  std::array<char, 16384> buffer;
  while (TRY(read(buffer.data(), buffer.size())) > 0) {
  }
  return {};
}

std::string HashedSource::digest() {
  return join({"sha256:", hex(sha_.finish())});
}

bool is_gzip(std::string_view head) {
  return head.starts_with("\x1f\x8b");
}

class GunzipSource::State {
 public:
  State() { ok = inflateInit2(&stream, MAX_WBITS + kGzipOnly) == Z_OK; }
  ~State() {
    if (ok) inflateEnd(&stream);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  z_stream stream{};
  bool ok = false;
  bool member_over = false;
  bool input_over = false;
  std::array<char, 32768> input;
};

GunzipSource::GunzipSource(ByteSource& from) : from_(from), state_(std::make_unique<State>()) {}
GunzipSource::~GunzipSource() = default;

Result<> GunzipSource::refill() {
  State& s = *state_;
  if (s.stream.avail_in > 0 || s.input_over) return {};
  const size_t got = TRY(from_.read(s.input.data(), s.input.size()));
  s.input_over = got == 0;
  s.stream.next_in = reinterpret_cast<Bytef*>(s.input.data());
  s.stream.avail_in = static_cast<uInt>(got);
  return {};
}

Result<size_t> GunzipSource::read(char* out, size_t bytes) {
  State& s = *state_;
  if (!s.ok) return fail(Code::kInternal, "zlib refused to start");
  const auto want = static_cast<uInt>(std::min<size_t>(bytes, 1u << 30));
  s.stream.next_out = reinterpret_cast<Bytef*>(out);
  s.stream.avail_out = want;
  while (s.stream.avail_out == want) {
    TRY(refill());
    if (s.member_over) {  // RFC 1952: members may follow each other; zero padding may follow the
                          // last
      if (s.input_over || *s.stream.next_in == 0) return size_t{0};
      inflateReset(&s.stream);
      s.member_over = false;
    }
    const int status = inflate(&s.stream, Z_NO_FLUSH);
    if (status == Z_STREAM_END) {
      s.member_over = true;
    } else if (status == Z_BUF_ERROR && s.input_over) {
      return fail(Code::kCorrupt, "gzip data ends early");
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      return fail(Code::kCorrupt, "gzip data is damaged");
    }
  }
  return static_cast<size_t>(want - s.stream.avail_out);
}

}  // namespace coracle::node
