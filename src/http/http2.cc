// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/connection.h"
namespace coracle::http {
std::unique_ptr<Protocol> speak_http2(Connection& connection) { return speak_http1(connection); }
}  // namespace coracle::http
