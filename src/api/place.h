// SPDX-License-Identifier: GPL-2.0-or-later
// Where a walk over an object stands: a chain on the stack, rendered only when something is wrong.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace coracle::api {

struct Place {
  enum class Step : unsigned char { kField, kItem, kKey };
  const Place* up = nullptr;
  std::string_view name;  // kField, kKey
  size_t index = 0;       // kItem
  Step step = Step::kField;

  static Place field(const Place* up, std::string_view name) { return {up, name, 0, Step::kField}; }
  static Place item(const Place* up, size_t index) { return {up, {}, index, Step::kItem}; }
  static Place key(const Place* up, std::string_view name) { return {up, name, 0, Step::kKey}; }

  // spec.containers[0].resources.limits[cpu], as validation names fields
  std::string path() const { return render(true, true); }
  // spec.containers[0].resources.limits.cpu, as strict decoding names them
  std::string json_path() const { return render(true, false); }
  // spec.containers.resources.limits, as Go's decoder names struct fields
  std::string go_path() const { return render(false, false); }

 private:
  std::string render(bool elements, bool brackets) const;
  void append_to(std::string& out, bool elements, bool brackets) const;
};

}  // namespace coracle::api
