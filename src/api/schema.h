// SPDX-License-Identifier: GPL-2.0-or-later
// The schema language in which every kind is declared once. Derived from it: decoding (JSON, YAML,
// protobuf), strict field checks, defaults, structural validation with field paths, strategic
// merge, OpenAPI, explain.
//
//   constexpr Field kContainerPortFields[] = {
//       text("name", 1).about("..."), int32("hostPort", 2), int32("containerPort", 3).required(),
//       text("protocol", 4).otherwise("\"TCP\"").one_of("TCP|UDP|SCTP"), ...};
//   constexpr Message kContainerPort{"io.k8s.api.core.v1.ContainerPort", kContainerPortFields};
//   list("ports", 6, kContainerPort).keyed_by("containerPort").map_keys("containerPort,protocol")
//
// The number is the field's protobuf number in upstream's generated.proto.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "json/tree.h"

namespace coracle::api {

struct Message;
class Errors;

enum class Type : uint8_t {
  kString,
  kInt32,
  kInt64,
  kBoolean,
  kDouble,
  kBytes,        // base64 text in JSON
  kTime,         // metav1.Time
  kMicroTime,    // metav1.MicroTime
  kQuantity,     // resource.Quantity; text, canonical after defaulting
  kIntOrString,  // intstr.IntOrString
  kObject,       // of `message`
  kRaw,          // free JSON: FieldsV1
  kExtension,    // free JSON: RawExtension
  kStrings,      // values of maps only: a list of strings (authorization ExtraValue)
};
enum class Shape : uint8_t { kOne, kList, kMap };  // kMap: string -> Type
enum class ListType : uint8_t { kAtomic, kMap, kSet };

// Checks the value of a present field, a list or map as a whole; `path` is its field path, e.g.
// spec.containers[0].ports[0].protocol. Types were checked before; "" counts as absent and is not
// checked.
using FieldCheck = void (*)(json::Node value, std::string_view path, Errors& errors);

// A string literal in one pointer: field tables are relocated data, which no process shares. Empty
// is null, which needs no relocation.
class Words {
 public:
  constexpr Words() = default;
  constexpr Words(const char* text) : text_(text) {}  // NOLINT(google-explicit-constructor)
  constexpr operator std::string_view() const {       // NOLINT(google-explicit-constructor)
    return text_ == nullptr ? std::string_view() : std::string_view(text_);
  }
  constexpr bool empty() const { return text_ == nullptr || *text_ == '\0'; }
  friend bool operator==(Words a, std::string_view b) {
    if (a.text_ == nullptr) return b.empty();
    return std::strncmp(a.text_, b.data(), b.size()) == 0 && a.text_[b.size()] == '\0';
  }

 private:
  const char* text_ = nullptr;
};

struct Field {
  Words name;
  const Message* message = nullptr;  // kObject
  // Of objects the keys of a list, comma-separated, of all others the closed set of values.
  Words words = {};
  Words default_json = {};  // set when the field is absent or "" (and the parent is present)
  FieldCheck check = nullptr;
  Words description = {};  // one sentence of our own for `kubectl explain`
  uint16_t number = 0;
  // > 0: Go embeds a struct here. JSON is flat, but protobuf carries this field inside a
  // sub-message with this number of the parent (Volume.volumeSource = 2, Probe.handler = 1,
  // SecretKeySelector.localObjectReference = 1).
  uint16_t embedded_in = 0;
  Type type = Type::kString;
  Shape shape = Shape::kOne;
  ListType list_type = ListType::kAtomic;
  bool is_required : 1 = false;  // absent, "" or []: "Required value"
  // Upstream's document calls it required, but absence is accepted (Go: zero) or checked by a hook.
  bool is_listed : 1 = false;
  // Go holds the number or bool by value: 0 (false) and absence are one. Such zeros are left out
  // (Go's protobuf always writes them), then defaulted like absent fields. Not for Go pointers
  // (replicas, runAsUser).
  bool zero_is_absent : 1 = false;
  // list: no two items may have the same `keys` ("Duplicate value"); env may repeat
  bool unique : 1 = false;
  bool merges : 1 = false;        // x-kubernetes-patch-strategy: merge
  bool retains_keys : 1 = false;  // ... retainKeys
  bool replaces : 1 = false;      // ... replace: a patch does not merge into the object

  // x-kubernetes-list-map-keys, comma-separated
  std::string_view keys() const {
    return type == Type::kObject && list_type == ListType::kMap ? words : std::string_view();
  }
  // x-kubernetes-patch-merge-key: the first of the keys.
  std::string_view merge_key() const {
    if (type != Type::kObject || !merges) return {};
    const std::string_view all = words;
    return all.substr(0, all.find(','));
  }
  // A closed set, '|'-separated: "Unsupported value" otherwise.
  std::string_view values() const {
    return type == Type::kObject ? std::string_view() : std::string_view(words);
  }

  constexpr Field required() const {
    Field f = *this;
    f.is_required = true;
    return f;
  }
  constexpr Field listed() const {
    Field f = *this;
    f.is_listed = true;
    return f;
  }
  constexpr Field otherwise(Words json) const {
    Field f = *this;
    f.default_json = json;
    return f;
  }
  constexpr Field one_of(Words set) const {
    Field f = *this;
    f.words = set;
    return f;
  }
  constexpr Field must(FieldCheck c) const {
    Field f = *this;
    f.check = c;
    return f;
  }
  constexpr Field or_zero() const {
    Field f = *this;
    f.zero_is_absent = true;
    return f;
  }
  constexpr Field distinct() const {
    Field f = *this;
    f.unique = true;
    return f;
  }
  constexpr Field within(uint16_t n) const {
    Field f = *this;
    f.embedded_in = n;
    return f;
  }
  constexpr Field about(Words sentence) const {
    Field f = *this;
    f.description = sentence;
    return f;
  }
  // Strategic merge by one key (also the list-map key unless map_keys() says otherwise).
  constexpr Field keyed_by(Words key) const {
    Field f = *this;
    f.merges = true;
    f.list_type = ListType::kMap;
    f.words = key;
    return f;
  }
  constexpr Field map_keys(Words k) const {
    Field f = *this;
    f.words = k;
    f.list_type = ListType::kMap;
    return f;
  }
  constexpr Field merging() const {
    Field f = *this;
    f.merges = true;
    return f;
  }  // without a key
  constexpr Field patch_key(Words k) const {
    Field f = *this;
    f.merges = true;
    f.words = k;
    return f;
  }
  constexpr Field retaining_keys() const {
    Field f = *this;
    f.retains_keys = true;
    return f;
  }
  constexpr Field replacing() const {
    Field f = *this;
    f.replaces = true;
    return f;
  }
  constexpr Field set() const {
    Field f = *this;
    f.list_type = ListType::kSet;
    return f;
  }
};

static_assert(sizeof(Field) <= 7 * sizeof(uint64_t));

struct Message {
  Words definition;  // name in upstream's OpenAPI document
  std::span<const Field> fields;
  Words description = {};

  const Field* find(std::string_view name) const {
    for (const Field& f : fields) {
      if (f.name == name) return &f;
    }
    return nullptr;
  }
};

constexpr Field scalar(Words name, uint16_t number, Type type, Shape shape = Shape::kOne) {
  Field f;
  f.name = name;
  f.number = number;
  f.type = type;
  f.shape = shape;
  return f;
}
constexpr Field text(Words name, uint16_t number) {
  return scalar(name, number, Type::kString);
}
constexpr Field int32(Words name, uint16_t number) {
  return scalar(name, number, Type::kInt32);
}
constexpr Field int64(Words name, uint16_t number) {
  return scalar(name, number, Type::kInt64);
}
constexpr Field boolean(Words name, uint16_t number) {
  return scalar(name, number, Type::kBoolean);
}
constexpr Field time(Words name, uint16_t number) {
  return scalar(name, number, Type::kTime);
}
constexpr Field micro_time(Words name, uint16_t number) {
  return scalar(name, number, Type::kMicroTime);
}
constexpr Field bytes(Words name, uint16_t number) {
  return scalar(name, number, Type::kBytes);
}
constexpr Field quantity(Words name, uint16_t number) {
  return scalar(name, number, Type::kQuantity);
}
constexpr Field int_or_string(Words name, uint16_t number) {
  return scalar(name, number, Type::kIntOrString);
}
constexpr Field raw(Words name, uint16_t number) {
  return scalar(name, number, Type::kRaw);
}
constexpr Field extension(Words name, uint16_t number) {
  return scalar(name, number, Type::kExtension);
}
constexpr Field list_of(Words name, uint16_t number, Type type) {
  return scalar(name, number, type, Shape::kList);
}
constexpr Field map_of(Words name, uint16_t number, Type type) {
  return scalar(name, number, type, Shape::kMap);
}
constexpr Field object(Words name, uint16_t number, const Message& message) {
  Field f = scalar(name, number, Type::kObject);
  f.message = &message;
  return f;
}
constexpr Field list(Words name, uint16_t number, const Message& message) {
  Field f = scalar(name, number, Type::kObject, Shape::kList);
  f.message = &message;
  return f;
}

constexpr Field map_to(Words name, uint16_t number, const Message& message) {
  Field f = scalar(name, number, Type::kObject, Shape::kMap);
  f.message = &message;
  return f;
}

}  // namespace coracle::api
