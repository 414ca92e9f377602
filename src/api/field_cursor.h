// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the fields of one message by name. Members mostly come in the order of the table, so the
// search starts behind the field found last.
#pragma once

#include <cstddef>
#include <string_view>

#include "api/schema.h"

namespace coracle::api {

class FieldCursor {
 public:
  explicit FieldCursor(const Message& message) : fields_(message.fields) {}

  const Field* find(std::string_view name) {
    for (size_t tried = 0; tried < fields_.size(); tried++) {
      if (next_ == fields_.size()) next_ = 0;
      const Field& field = fields_[next_++];
      if (field.name == name) return &field;
    }
    return nullptr;
  }

 private:
  std::span<const Field> fields_;
  size_t next_ = 0;
};

}  // namespace coracle::api
