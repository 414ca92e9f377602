// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/chunked.h"

#include <vector>

#include "http/head.h"
#include "http/syntax.h"

namespace coracle::http {
namespace {

constexpr size_t kLineBytesMax = 1024;
constexpr size_t kTrailerBytesMax = 8 * 1024;
constexpr size_t kSizeDigitsMax = 8;  // 4 GiB: far above every bound on bodies, far below 64 bits

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::next(std::string_view& input, std::string_view& data) {
  while (phase_ != Phase::kBad) {
    if (phase_ == Phase::kData) return take_data(input, data);
    if (!take_line(input)) return Step::kMore;
    if (phase_ == Phase::kSize) {
      begin_chunk();
    } else if (phase_ == Phase::kDataEnd) {
      phase_ = line_.empty() ? Phase::kSize : Phase::kBad;
    } else if (phase_ == Phase::kTrailer) {
      if (end_of_trailer_line() == Step::kEnd) return Step::kEnd;
    }
    line_.clear();
  }
  return Step::kBad;
}

ChunkedDecoder::Step ChunkedDecoder::take_data(std::string_view& input, std::string_view& data) {
  if (input.empty()) return Step::kMore;
  data = input.substr(0, left_ < input.size() ? static_cast<size_t>(left_) : input.size());
  input.remove_prefix(data.size());
  left_ -= data.size();
  if (left_ == 0) phase_ = Phase::kDataEnd;
  return Step::kData;
}

bool ChunkedDecoder::take_line(std::string_view& input) {
  while (!input.empty()) {
    const char c = input.front();
    input.remove_prefix(1);
    const bool after_return = !line_.empty() && line_.back() == '\r';
    if ((c == '\n') != after_return || line_.size() >= kLineBytesMax) {
      phase_ = Phase::kBad;
      return true;
    }
    if (c == '\n') {
      line_.pop_back();
      return true;
    }
    line_ += c;
  }
  return false;
}

// chunk-size [ chunk-ext ]
void ChunkedDecoder::begin_chunk() {
  size_t digits = 0;
  left_ = 0;
  while (digits < line_.size() && hex_digit(line_[digits]) >= 0) {
    left_ = left_ << 4 | static_cast<uint64_t>(hex_digit(line_[digits++]));
    if (digits > kSizeDigitsMax) break;
  }
  const std::string_view extension = std::string_view(line_).substr(digits);
  const bool sound = digits > 0 && digits <= kSizeDigitsMax && is_field_value(extension) &&
                     (extension.empty() || extension.front() == ';');
  if (!sound) {
    phase_ = Phase::kBad;
  } else {
    phase_ = left_ > 0 ? Phase::kData : Phase::kTrailer;
  }
}

ChunkedDecoder::Step ChunkedDecoder::end_of_trailer_line() {
  if (line_.empty()) {
    phase_ = Phase::kSize;
    return Step::kEnd;
  }
  trailer_bytes_ += line_.size();
  std::vector<Header> dropped;
  const Refusal refusal = parse_fields(line_ + "\r\n", dropped);
  if (refusal || trailer_bytes_ > kTrailerBytesMax) phase_ = Phase::kBad;
  return Step::kMore;
}

}  // namespace coracle::http
