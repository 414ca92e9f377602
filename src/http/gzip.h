// SPDX-License-Identifier: GPL-2.0-or-later
// Compression of answers. Whether a client accepts it and whether it pays is decided here too, so
// that all answers agree.
#pragma once

#include <string>
#include <string_view>

namespace coracle::http {

// As upstream (apiserver endpoints/handlers/responsewriters): only bodies above 128 KiB.
inline constexpr size_t kGzipBytesMin = 128 * 1024;

bool accepts_gzip(std::string_view accept_encoding);  // the header's value
std::string gzip(std::string_view bytes);             // RFC 1952, level 1

}  // namespace coracle::http
