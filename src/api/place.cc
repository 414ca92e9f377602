// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/place.h"

#include "base/bytes.h"

namespace coracle::api {

std::string Place::render(bool elements, bool brackets) const {
  std::string path = up == nullptr ? std::string() : up->render(elements, brackets);
  if (step != Step::kField && !elements) return path;
  if (step == Step::kItem) return path + join({"[", std::to_string(index), "]"});
  if (step == Step::kKey && brackets) return path + join({"[", name, "]"});
  if (!path.empty()) path += '.';
  return path.append(name);
}

}  // namespace coracle::api
