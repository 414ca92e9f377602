// SPDX-License-Identifier: GPL-2.0-or-later
#include "pki/der.h"

namespace coracle::pki::der {

std::string element(uint8_t tag, std::string_view content) {
  std::string out(1, static_cast<char>(tag));
  const size_t length = content.size();
  if (length < 0x80) {
    out += static_cast<char>(length);
  } else {
    char digits[sizeof length];
    size_t count = 0;
    for (size_t rest = length; rest > 0; rest >>= 8)
      digits[count++] = static_cast<char>(rest & 0xff);
    out += static_cast<char>(0x80 | count);
    while (count > 0)
      out += digits[--count];
  }
  return out.append(content);
}

std::string sequence(std::initializer_list<std::string_view> elements) {
  std::string content;
  for (std::string_view each : elements)
    content += each;
  return element(kSequence, content);
}

std::string integer(std::string_view big_endian) {
  while (big_endian.size() > 1 && big_endian.front() == '\0')
    big_endian.remove_prefix(1);
  std::string content;
  if (big_endian.empty() || (static_cast<uint8_t>(big_endian.front()) & 0x80) != 0) content += '\0';
  return element(kInteger, content.append(big_endian));
}

std::string bit_string(std::string_view bytes) {
  return element(kBitString, std::string(1, '\0').append(bytes));
}

std::string time(Wall at) {
  std::string digits;
  for (char c : rfc3339(at)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  digits += 'Z';
  const bool short_form = digits >= "1950" && digits < "2050";
  return short_form ? element(kUtcTime, std::string_view(digits).substr(2))
                    : element(kGeneralizedTime, digits);
}

}  // namespace coracle::pki::der
