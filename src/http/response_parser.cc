// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/response_parser.h"

#include "base/bytes.h"
#include "http/syntax.h"

namespace coracle::http {

void ResponseParser::restart(bool head_only) {
  *this = ResponseParser();
  head_only_ = head_only;
}

ResponseParser::Step ResponseParser::next(std::string_view& input, std::string_view& data) {
  while (phase_ == Phase::kHead) {  // a 1xx head only announces another one
    if (!head_.add(input)) return Step::kMore;
    if (head_.refusal() || !read_head()) return Step::kBad;
    if (phase_ != Phase::kHead) return Step::kHead;
  }
  if (phase_ == Phase::kEnd || (phase_ == Phase::kLength && left_ == 0)) {
    phase_ = Phase::kEnd;
    return Step::kEnd;
  }
  if (phase_ == Phase::kChunks) {
    switch (chunks_.next(input, data)) {
      case ChunkedDecoder::Step::kMore:
        return Step::kMore;
      case ChunkedDecoder::Step::kData:
        return Step::kData;
      case ChunkedDecoder::Step::kEnd:
        phase_ = Phase::kEnd;
        return Step::kEnd;
      case ChunkedDecoder::Step::kBad:
        return Step::kBad;
    }
  }
  if (input.empty()) return Step::kMore;
  data = phase_ == Phase::kLength ? input.substr(0, left_) : input;
  input.remove_prefix(data.size());
  left_ -= phase_ == Phase::kLength ? data.size() : 0;
  return Step::kData;
}

ResponseParser::Step ResponseParser::end_of_input() {
  return phase_ == Phase::kUntilClose || phase_ == Phase::kEnd ? Step::kEnd : Step::kBad;
}

bool ResponseParser::read_head() {
  if (!read_status_line(head_.start_line())) return false;
  headers_.clear();
  if (parse_fields(head_.field_lines(), headers_)) return false;
  head_.clear();
  if (status_ >= 100 && status_ < 200) return status_ != 101;
  for (const Header& each : headers_) {
    if (each.name == "connection" && lists(each.value, "close")) keeps_alive_ = false;
  }
  Framing framing;
  if (read_framing(headers_, framing)) return false;
  left_ = framing.length;
  if (head_only_ || !has_body(status_)) {
    phase_ = Phase::kEnd;
  } else if (framing.chunked) {
    phase_ = Phase::kChunks;
  } else if (framing.has_length) {
    phase_ = Phase::kLength;
  } else {
    phase_ = Phase::kUntilClose;
    keeps_alive_ = false;
  }
  return true;
}

// HTTP-version SP status-code SP [ reason-phrase ]
bool ResponseParser::read_status_line(std::string_view line) {
  constexpr size_t kVersionBytes = 8;  // HTTP/1.1
  if (line.size() < kVersionBytes + 4 || line.substr(0, 7) != "HTTP/1." ||
      line[kVersionBytes] != ' ')
    return false;
  if (line[7] != '1' && line[7] != '0') return false;
  if (line[7] == '0') keeps_alive_ = false;
  const auto status = parse_unsigned(line.substr(kVersionBytes + 1, 3));
  if (!status || *status < 100 || *status > 599) return false;
  if (line.size() > kVersionBytes + 4 && line[kVersionBytes + 4] != ' ') return false;
  status_ = static_cast<int>(*status);
  return true;
}

}  // namespace coracle::http
