// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/image_name.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::node {

namespace {

constexpr size_t kNameBytesMax = 255;
constexpr size_t kTagBytesMax = 128;

bool is_lower(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_word(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

// [a-z0-9]+ joined by ".", "_", "__" or dashes.
bool is_path_part(std::string_view part) {
  if (part.empty() || !is_lower(part.front()) || !is_lower(part.back())) return false;
  for (size_t i = 0; i < part.size(); ++i) {
    const char c = part[i];
    if (is_lower(c) || c == '-') continue;
    if (c != '.' && c != '_') return false;
    const size_t end = part.find_first_not_of(c, i);
    const size_t run = end - i;
    if (run > (c == '_' ? 2u : 1u) || part[end] == '.' || part[end] == '_' || part[end] == '-')
      return false;
    i = end - 1;
  }
  return true;
}

bool is_domain(std::string_view domain) {
  const size_t colon = domain.rfind(':');
  if (colon != std::string_view::npos) {
    const auto port = parse_unsigned(domain.substr(colon + 1));
    if (!port || *port > 65535) return false;
    domain = domain.substr(0, colon);
  }
  if (domain.empty() || domain.front() == '-' || domain.back() == '-') return false;
  return std::all_of(domain.begin(), domain.end(),
                     [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > kTagBytesMax || !is_word(tag.front())) return false;
  return std::all_of(tag.begin(), tag.end(),
                     [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_digest(std::string_view digest) {
  if (!digest.starts_with("sha256:") || digest.size() != 7 + 64) return false;
  return std::all_of(digest.begin() + 7, digest.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool names_a_registry(std::string_view first) {
  if (first == "localhost" || first.find_first_of(".:") != std::string_view::npos) return true;
  return std::any_of(first.begin(), first.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

Result<std::string> normal_image_name(std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    return fail(Code::kBadRequest, join({"couldn't parse image name \"", name, "\": ", why}));
  };
  std::string_view rest = name;
  std::string_view digest;
  std::string_view tag;
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (!is_digest(digest)) return refuse("invalid digest");
  }
  if (const size_t colon = rest.rfind(':');
      colon != std::string_view::npos && rest.find('/', colon) == std::string_view::npos) {
    tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!is_tag(tag)) return refuse("invalid reference format");
  }
  std::string domain = "docker.io";
  if (const size_t slash = rest.find('/');
      slash != std::string_view::npos && names_a_registry(rest.substr(0, slash))) {
    domain = rest.substr(0, slash);
    rest = rest.substr(slash + 1);
  }
  if (domain == "index.docker.io") domain = "docker.io";
  if (!is_domain(domain) || domain.size() + rest.size() > kNameBytesMax)
    return refuse("invalid reference format");
  for (const std::string_view part : split(rest, '/')) {
    if (!is_path_part(part)) return refuse("invalid reference format");
  }
  const bool is_official = domain == "docker.io" && rest.find('/') == std::string_view::npos;
  const std::string full = join({domain, is_official ? "/library/" : "/", rest});
  if (!digest.empty()) return join({full, "@", digest});
  return join({full, ":", tag.empty() ? std::string_view("latest") : tag});
}

}  // namespace coracle::node
