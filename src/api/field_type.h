// SPDX-License-Identifier: GPL-2.0-or-later
// How a value is owned: as a whole, by member, or by item. Read from the kind table, or deduced
// from the value itself where there is no declaration (maps by key, lists as a whole).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/schema.h"
#include "base/result.h"
#include "json/tree.h"

namespace coracle::api {

enum class Nature : uint8_t { kWhole, kStruct, kMap, kKeyed, kSet };

struct FieldType {
  const Field* field = nullptr;
  const Message* message = nullptr;
  const Message* parent = nullptr;
  bool element = false;  // of the field's list or map

  Nature nature(json::Node value) const;
  FieldType member(std::string_view name) const;  // of a struct or map
  FieldType item() const;                         // of a list
  // k:{"name":"web"} or v:"x"; fails for an item without its keys.
  Result<std::string> element_of(json::Node value) const;
};

}  // namespace coracle::api
