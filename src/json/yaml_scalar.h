// SPDX-License-Identifier: GPL-2.0-or-later
// What a plain YAML scalar means, by the rules of go-yaml v2, which sigs.k8s.io/yaml uses. Only for
// src/json.
#pragma once

#include <string_view>

namespace coracle::json {

struct YamlScalar {
  enum class Kind { kNull, kBoolean, kNumber, kString, kRefused };
  Kind kind = Kind::kString;
  bool boolean = false;
  double number = 0;
  const char* why = nullptr;  // of kRefused
};

YamlScalar resolve_yaml(std::string_view plain);

}  // namespace coracle::json
