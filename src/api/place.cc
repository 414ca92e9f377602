// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/place.h"

namespace coracle::api {

namespace {
constexpr size_t kNameMax = 256;  // keys come from clients: a path must stay fit to be shown
}  // namespace

void Place::append_to(std::string& out, bool elements, bool brackets) const {
  if (up != nullptr) up->append_to(out, elements, brackets);
  if (step != Step::kField && !elements) return;
  if (step == Step::kItem) {
    out += '[';
    out += std::to_string(index);
    out += ']';
  } else if (step == Step::kKey && brackets) {
    out += '[';
    out += name.substr(0, kNameMax);
    out += ']';
  } else {
    if (!out.empty()) out += '.';
    out += name.substr(0, kNameMax);
  }
}

std::string Place::render(bool elements, bool brackets) const {
  std::string out;
  out.reserve(96);
  append_to(out, elements, brackets);
  return out;
}

}  // namespace coracle::api
