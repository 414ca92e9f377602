// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/spdy.h"

#include <algorithm>

#include "http/spdy_headers.h"

namespace coracle::http {
namespace {

enum Type : uint16_t { kSynStream = 1, kSynReply, kReset, kSettings, kPing = 6, kGoaway, kHeaders };
constexpr uint16_t kVersion = 0x8003;
constexpr uint16_t kWindowUpdate = 9;
constexpr uint8_t kFin = 0x01;
constexpr uint32_t kIdMask = 0x7fffffff;
constexpr uint32_t kRefusedStream = 3;
constexpr uint32_t kCancel = 5;
constexpr uint32_t kInitialWindow = 7;  // a setting
constexpr uint32_t kEndless = 0x7fffffff;
constexpr uint32_t kSessionWindow = 64 * 1024;  // SPDY/3.1 2.6.8: where it begins
constexpr size_t kDataBytesMax = 0xffffff;

uint32_t number(std::string_view at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4 && i < at.size(); i++)
    value = value << 8 | static_cast<uint8_t>(at[i]);
  return value;
}

void put(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(value >> shift);
}

std::string numbers(std::initializer_list<uint32_t> list) {
  std::string out;
  for (const uint32_t value : list)
    put(out, value);
  return out;
}

}  // namespace

Spdy::Spdy(SpdyEvents& events) : events_(events), inflater_(std::make_unique<SpdyInflater>()) {}
Spdy::~Spdy() = default;

void Spdy::open() {
  control_frame(kSettings, 0, numbers({1, kInitialWindow, kEndless}));
  control_frame(kWindowUpdate, 0, numbers({0, kEndless - kSessionWindow}));
}

bool Spdy::receive(std::string_view bytes) {
  while (!stopped_ && !broken_ && !bytes.empty()) {
    if (!in_frame_) {
      const size_t wanted = std::min(kHeadBytes - head_.size(), bytes.size());
      head_ += bytes.substr(0, wanted);
      bytes.remove_prefix(wanted);
      if (head_.size() == kHeadBytes) broken_ = !begin_frame();
    } else if (!is_control_) {
      take_data(bytes);
    } else {
      const size_t wanted = std::min(left_, bytes.size());
      control_ += bytes.substr(0, wanted);
      bytes.remove_prefix(wanted);
      left_ -= wanted;
      if (left_ == 0) broken_ = !end_control();
    }
  }
  return !broken_;
}

bool Spdy::begin_frame() {
  const uint32_t first = number(head_);
  const uint32_t second = number(std::string_view(head_).substr(4));
  head_.clear();
  in_frame_ = true;
  flags_ = static_cast<uint8_t>(second >> 24);
  left_ = second & 0xffffff;
  is_control_ = (first >> 31) != 0;
  stream_ = first;
  if (is_control_) {
    type_ = static_cast<uint16_t>(first);
    if ((first >> 16) != kVersion || left_ > kControlBytesMax) return false;
    return left_ > 0 || end_control();
  }
  std::string_view nothing;
  if (left_ == 0) take_data(nothing);
  return true;
}

void Spdy::take_data(std::string_view& bytes) {
  const std::string_view part = bytes.substr(0, left_);
  bytes.remove_prefix(part.size());
  left_ -= part.size();
  const bool ends = left_ == 0 && (flags_ & kFin) != 0;
  if (left_ == 0) in_frame_ = false;
  if (!part.empty()) events_.on_stream_data(stream_, part);
  if (ends && !stopped_) events_.on_stream_end(stream_);
}

bool Spdy::end_control() {
  in_frame_ = false;
  bool fine = true;
  if (type_ == kSynStream) {
    fine = open_stream();
  } else if (type_ == kHeaders) {
    // Nothing is told by it; the history of the compression must go on all the same.
    fine = control_.size() >= 4 && inflater_->read(std::string_view(control_).substr(4));
  } else if (type_ == kPing) {
    if (control_.size() == 4 && number(control_) % 2 == 1) control_frame(kPing, 0, control_);
  } else if (type_ == kReset) {
    fine = control_.size() == 8;
    if (fine) events_.on_stream_reset(number(control_) & kIdMask);
  } else if (type_ == kGoaway) {
    events_.on_goaway();
  }
  control_.clear();
  return fine;
}

bool Spdy::open_stream() {
  constexpr size_t kFixedBytes = 10;  // id, associated id, priority, slot
  if (control_.size() < kFixedBytes) return false;
  const uint32_t id = number(control_) & kIdMask;
  const auto headers = inflater_->read(std::string_view(control_).substr(kFixedBytes));
  if (!headers || id <= last_stream_ || id % 2 == 0) return false;
  last_stream_ = id;
  if (!events_.on_stream(id, *headers)) {
    control_frame(kReset, 0, numbers({id, kRefusedStream}));
    return true;
  }
  control_frame(kSynReply, 0, numbers({id}) + empty_spdy_block(!replied_));
  replied_ = true;
  if ((flags_ & kFin) != 0 && !stopped_) events_.on_stream_end(id);
  return true;
}

void Spdy::control_frame(uint16_t type, uint8_t flags, std::string_view payload) {
  std::string out = numbers({uint32_t{kVersion} << 16 | type,
                             uint32_t{flags} << 24 | static_cast<uint32_t>(payload.size())});
  events_.on_spdy_out(out.append(payload));
}

void Spdy::data_frame(uint32_t stream, uint8_t flags, std::string_view bytes) {
  std::string out = numbers({stream, uint32_t{flags} << 24 | static_cast<uint32_t>(bytes.size())});
  events_.on_spdy_out(out.append(bytes));
}

void Spdy::send(uint32_t stream, std::string_view bytes) {
  while (!bytes.empty()) {
    data_frame(stream, 0, bytes.substr(0, kDataBytesMax));
    bytes.remove_prefix(std::min(bytes.size(), kDataBytesMax));
  }
}

void Spdy::end(uint32_t stream) {
  data_frame(stream, kFin, {});
}

void Spdy::reset(uint32_t stream) {
  control_frame(kReset, 0, numbers({stream, kCancel}));
}

void Spdy::say_goodbye() {
  control_frame(kGoaway, 0, numbers({last_stream_, 0}));
}

}  // namespace coracle::http
