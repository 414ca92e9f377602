// SPDX-License-Identifier: GPL-2.0-or-later
// Collects field errors in the shape of apimachinery pkg/util/validation/field: all of them, not
// the first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/tree.h"

namespace coracle::api {

class Errors {
 public:
  // `Invalid value: "x": detail` (value is printed as upstream prints it: JSON-ish, strings quoted)
  void invalid(std::string_view path, json::Node value, std::string_view detail);
  void invalid(std::string_view path, std::string_view value, std::string_view detail);
  void invalid(std::string_view path, int64_t value, std::string_view detail);
  void required(std::string_view path, std::string_view detail = {});  // `Required value: detail`
  void duplicate(std::string_view path, json::Node value);             // `Duplicate value: "x"`
  void not_supported(std::string_view path,
                     json::Node value,
                     std::string_view values);                     // values: "A|B"
  void not_found(std::string_view path, std::string_view value);   // `Not found: "x"`
  void not_found(std::string_view path, json::Node value);         // `Not found: "x"`
  void forbidden(std::string_view path, std::string_view detail);  // `Forbidden: detail`
  void too_long(std::string_view path,
                size_t bytes_max);  // `Too long: may not be more than N bytes`
  void too_many(std::string_view path, size_t actual, size_t most);
  bool empty() const { return causes_.empty(); }
  size_t size() const { return causes_.size(); }

  // The 422 as upstream words it: `Pod "web" is invalid: [spec.x: Required value, ...]`; bounded in
  // size.
  Error to_error(std::string_view group_kind, std::string_view name) const;

 private:
  void add(std::string_view reason, std::string_view path, std::string message);
  std::vector<Cause> causes_;
};

// Field paths: field("spec", "ports") -> spec.ports; item("spec.ports", 2) -> spec.ports[2];
// entry("spec.x", "a/b") -> spec.x[a/b]
std::string field(std::string_view path, std::string_view name);
std::string item(std::string_view path, size_t index);
std::string entry(std::string_view path, std::string_view key);

}  // namespace coracle::api
