// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/spdy_headers.h"

#include <zlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "http/syntax.h"

namespace coracle::http {
namespace {

constexpr size_t kHeadersMax = 64;

// draft-mbelshe-httpbis-spdy-00 2.6.10.1: each word behind its length in 32 bits, then a text.
constexpr std::string_view kWords =
    "options,head,post,put,delete,trace,accept,accept-charset,accept-encoding,accept-language,"
    "accept-ranges,age,allow,authorization,cache-control,connection,content-base,content-encoding,"
    "content-language,content-length,content-location,content-md5,content-range,content-type,date,"
    "etag,expect,expires,from,host,if-match,if-modified-since,if-none-match,if-range,"
    "if-unmodified-since,last-modified,location,max-forwards,pragma,proxy-authenticate,"
    "proxy-authorization,range,referer,retry-after,server,te,trailer,transfer-encoding,upgrade,"
    "user-agent,vary,via,warning,www-authenticate,method,get,status,200 OK,version,HTTP/1.1,url,"
    "public,set-cookie,keep-alive,origin,";
constexpr std::string_view kText =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 "
    "Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 "
    "Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service "
    "UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, "
    "Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/"
    "xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-"
    "8charset=iso-8859-1,utf-,*,enq=0.";

void put_length(std::string& out, size_t length) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(length >> shift);
}

std::string dictionary() {
  std::string out;
  std::string_view rest = kWords;
  while (!rest.empty()) {
    const size_t length = rest.find(',');
    put_length(out, length);
    out += rest.substr(0, length);
    rest.remove_prefix(length + 1);
  }
  return out.append(kText);
}

// Reads the fields of a block; past its end everything is empty and broken() is true.
class BlockReader {
 public:
  explicit BlockReader(std::string_view block) : rest_(block) {}
  size_t number() {
    size_t value = 0;
    for (const char c : take(4))
      value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }
  std::string_view field() { return take(number()); }
  bool broken() const { return broken_; }

 private:
  std::string_view take(size_t count) {
    broken_ = broken_ || count > rest_.size();
    if (broken_) return {};
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view rest_;
  bool broken_ = false;
};

}  // namespace

struct SpdyInflater::State {
  z_stream stream{};
};

SpdyInflater::SpdyInflater() : state_(std::make_unique<State>()) {
  ASSERT(inflateInit(&state_->stream) == Z_OK);
}

SpdyInflater::~SpdyInflater() {
  inflateEnd(&state_->stream);
}

Result<std::string> SpdyInflater::inflate_block(std::string_view block) {
  z_stream& stream = state_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
  stream.avail_in = static_cast<uInt>(block.size());
  std::string plain;
  char piece[1024];
  int status = Z_OK;
  do {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    status = inflate(&stream, Z_SYNC_FLUSH);
    if (status == Z_NEED_DICT) {
      const std::string known = dictionary();
      status = inflateSetDictionary(&stream, reinterpret_cast<const Bytef*>(known.data()),
                                    static_cast<uInt>(known.size()));
      stream.avail_out = 0;  // once more
    } else {
      plain.append(piece, sizeof piece - stream.avail_out);
    }
    if (plain.size() > limits::kHeaderBytesMax)
      return fail(Code::kTooLarge, "SPDY headers too large");
  } while (status == Z_OK && stream.avail_out == 0);
  if (status != Z_OK && status != Z_BUF_ERROR)
    return fail(Code::kBadRequest, "SPDY headers are not compressed as agreed");
  return plain;
}

Result<std::vector<Header>> SpdyInflater::read(std::string_view block) {
  const std::string plain = TRY(inflate_block(block));
  BlockReader reader(plain);
  const size_t count = reader.number();
  if (count > kHeadersMax) return fail(Code::kTooLarge, "too many SPDY headers");
  std::vector<Header> headers;
  for (size_t i = 0; i < count; i++) {
    std::string name = lower(reader.field());
    headers.push_back({std::move(name), std::string(reader.field())});
  }
  if (reader.broken()) return fail(Code::kBadRequest, "SPDY headers are cut off");
  return headers;
}

// RFC 1950 head, then RFC 1951 stored blocks: four zero bytes, and an empty one that flushes.
std::string empty_spdy_block(bool first) {
  constexpr std::string_view kHead = "\x78\x01";
  constexpr std::string_view kBlocks("\x00\x04\x00\xfb\xff\x00\x00\x00\x00\x00\x00\x00\xff\xff",
                                     14);
  return std::string(first ? kHead : "").append(kBlocks);
}

}  // namespace coracle::http
