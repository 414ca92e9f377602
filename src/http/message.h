// SPDX-License-Identifier: GPL-2.0-or-later
// What a server and a client exchange, whatever the version of HTTP.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coracle::http {

struct Header {
  std::string name;  // lower case
  std::string value;
};

struct PeerIdentity {
  bool verified = false;  // a client certificate that chains to the client CA
  std::string common_name;
  std::vector<std::string> organizations;  // in certificate order
  std::string serial;                      // hex
};

struct Request {
  std::string method;
  std::string path;   // canonical: starts with '/', percent-decoded, no "//", "/./", "/../", no %2f
                      // (else 400)
  std::string query;  // raw, without '?'
  std::vector<Header> headers;
  std::string body;  // whole, <= limits::kBodyBytesMax
  PeerIdentity peer;
  std::string peer_address;

  std::string_view header(std::string_view lower_name) const {  // first one; empty if absent
    for (const Header& h : headers) {
      if (h.name == lower_name) return h.value;
    }
    return {};
  }
};

// "a=1&b=%20" -> {{"a","1"},{"b"," "}}; '+' is a space. Broken escapes are kept as they are.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);
std::string percent_encode(std::string_view text);

}  // namespace coracle::http
