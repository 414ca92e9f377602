// SPDX-License-Identifier: GPL-2.0-or-later
// Protobuf bodies to JSON trees, driven by the field numbers of the kind table. What comes out is
// what Go would have written as JSON: no empty strings, times and quantities as text, embedded
// structs flat.
#include <cstring>

#include "api/processing.h"
#include "api/wire.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/time.h"

namespace coracle::api {
namespace {

constexpr std::string_view kMagic{"k8s\0", 4};
constexpr int64_t kIntegerMax = int64_t{1} << 53;
// Setting a map entry walks the map: bounds the walk of one body, not its entries (6,000 in one map
// pass).
constexpr size_t kMapStepsMax = 20'000'000;

Error malformed(std::string_view why) {
  return fail(Code::kBadRequest, join({"unable to decode protobuf body: ", why}));
}

size_t utf8_tail(uint8_t lead) {
  if (lead < 0x80) return 0;
  if (lead >= 0xC2 && lead <= 0xDF) return 1;
  if (lead >= 0xE0 && lead <= 0xEF) return 2;
  if (lead >= 0xF0 && lead <= 0xF4) return 3;
  return SIZE_MAX;
}

// What the strict JSON scanner accepts: UTF-8 by RFC 3629 without NUL.
bool is_text(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t tail = utf8_tail(lead);
    if (lead == 0 || tail >= text.size() - i) return false;
    uint32_t code = tail == 0 ? lead : lead & (0x3Fu >> tail);
    for (size_t k = 1; k <= tail; k++) {
      const auto byte = static_cast<uint8_t>(text[i + k]);
      if ((byte & 0xC0) != 0x80) return false;
      code = code << 6 | (byte & 0x3Fu);
    }
    const bool overlong = (tail == 2 && code < 0x800) || (tail == 3 && code < 0x10000);
    if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    i += tail + 1;
  }
  return true;
}

const Field* find_number(const Message& message, uint32_t number, uint16_t embedded_in) {
  for (const Field& field : message.fields) {
    if (field.number == number && field.embedded_in == embedded_in) return &field;
  }
  return nullptr;
}

bool is_embedded(const Message& message, uint32_t number) {
  for (const Field& field : message.fields) {
    if (field.embedded_in == number) return true;
  }
  return false;
}

bool is_number(Type type) {
  return type == Type::kInt32 || type == Type::kInt64 || type == Type::kBoolean ||
         type == Type::kDouble;
}

// Where one scalar goes: a member of an object, or the end of a list.
struct Slot {
  json::Node parent;
  std::string_view name;     // of the member
  bool drops_empty = false;  // "" is absence
  bool drops_zero = false;   // 0 and false are absence

  void text(std::string_view value) const {
    if (drops_empty && value.empty()) return;
    if (parent.is_array()) {
      parent.append(value);
    } else {
      parent.set(name, value);
    }
  }
  void integer(int64_t value) const {
    if (drops_zero && value == 0) return;
    if (parent.is_array()) {
      parent.append(value);
    } else {
      parent.set(name, value);
    }
  }
  void node(json::Node value) const {
    if (parent.is_array()) {
      parent.append(value);
    } else {
      parent.set(name, value);
    }
  }
};

class ProtobufWalk {
 public:
  Result<> message(const Message& message,
                   std::string_view raw,
                   json::Node into,
                   uint16_t embedded_in) {
    if (++depth_ > limits::kJsonDepthMax) return malformed("too deep");
    WireReader reader(raw);
    WireField wire;
    size_t entries = 0;
    while (reader.next(wire)) {
      const Field* field = find_number(message, wire.number, embedded_in);
      if (field != nullptr && field->number != 0) {
        TRY(value(*field, wire, into, entries));
      } else if (embedded_in == 0 && is_embedded(message, wire.number)) {
        if (wire.wire != Wire::kBytes) return malformed("wrong wire type");
        TRY(this->message(message, wire.bytes, into, static_cast<uint16_t>(wire.number)));
      }
    }
    depth_--;
    if (reader.failed()) return malformed("unexpected end or bad tag");
    return {};
  }

 private:
  Result<> value(const Field& field, const WireField& wire, json::Node into, size_t& entries) {
    if (++nodes_ > limits::kJsonNodesMax) return malformed("too many values");
    switch (field.shape) {
      case Shape::kOne:
        return one(field, wire, into);
      case Shape::kList:
        return element(field, wire, into.array(field.name));
      case Shape::kMap:
        return entry(field, wire, into.object(field.name), entries);
    }
    return {};
  }

  Result<> one(const Field& field, const WireField& wire, json::Node into) {
    if (field.type == Type::kObject) {
      if (wire.wire != Wire::kBytes) return malformed("wrong wire type");
      return message(*field.message, wire.bytes, into.object(field.name), 0);
    }
    return scalar(field, wire, {into, field.name, true, field.zero_is_absent});
  }

  Result<> element(const Field& field, const WireField& wire, json::Node list) {
    if (field.type == Type::kObject) {
      if (wire.wire != Wire::kBytes) return malformed("wrong wire type");
      return message(*field.message, wire.bytes, list.append_object(), 0);
    }
    if (is_number(field.type) && wire.wire == Wire::kBytes) return packed(field, wire.bytes, list);
    return scalar(field, wire, {list, {}});
  }

  Result<> packed(const Field& field, std::string_view bytes, json::Node list) {
    if (field.type == Type::kDouble) return malformed("packed doubles are not used");
    WireReader reader(bytes);
    WireField wire;
    while (!reader.at_end()) {
      if (++nodes_ > limits::kJsonNodesMax) return malformed("too many values");
      if (!reader.varint(wire.value)) return malformed("bad varint");
      TRY(scalar(field, wire, {list, {}}));
    }
    return {};
  }

  // Maps are repeated messages of key = 1 and value = 2; either may be left out.
  Result<> entry(const Field& field, const WireField& wire, json::Node map, size_t& entries) {
    if (wire.wire != Wire::kBytes) return malformed("wrong wire type");
    steps_ += ++entries;
    if (steps_ > kMapStepsMax) return malformed("too many map entries");
    WireReader reader(wire.bytes);
    WireField part;
    WireField content;
    content.wire = is_number(field.type) ? Wire::kVarint : Wire::kBytes;
    std::string_view key;
    while (reader.next(part)) {
      if (part.number == 1 && part.wire == Wire::kBytes) key = part.bytes;
      if (part.number == 2) content = part;
    }
    if (reader.failed()) return malformed("unexpected end in map");
    if (!is_text(key)) return malformed("map key is not UTF-8");
    if (field.type == Type::kObject)
      return message(*field.message, content.bytes, map.object(key), 0);
    return scalar(field, content, {map, key});
  }

  Result<> scalar(const Field& field, const WireField& wire, const Slot& slot) {
    if (is_number(field.type)) return number(field, wire, slot);
    if (wire.wire != Wire::kBytes) return malformed("wrong wire type");
    switch (field.type) {
      case Type::kString:
        if (!is_text(wire.bytes)) return malformed("string is not UTF-8 or has a NUL");
        slot.text(wire.bytes);
        return {};
      case Type::kBytes:
        slot.text(base64(wire.bytes));
        return {};
      case Type::kTime:
      case Type::kMicroTime:
        return time(field, wire.bytes, slot);
      case Type::kQuantity:
        return quantity(wire.bytes, slot);
      case Type::kIntOrString:
        return int_or_string(wire.bytes, slot);
      case Type::kRaw:
      case Type::kExtension:
        return raw(wire.bytes, slot);
      case Type::kStrings:
        return strings(wire.bytes, slot);
      default:
        return {};
    }
  }

  static Result<> number(const Field& field, const WireField& wire, const Slot& slot) {
    if (field.type == Type::kDouble) return real(wire, slot);
    if (wire.wire != Wire::kVarint) return malformed("wrong wire type");
    if (field.type == Type::kBoolean) {
      if (slot.parent.is_array()) return malformed("lists of booleans are not used");
      if (wire.value != 0 || !slot.drops_zero) slot.parent.set(slot.name, wire.value != 0);
      return {};
    }
    auto value = static_cast<int64_t>(wire.value);
    if (field.type == Type::kInt32) value = static_cast<int32_t>(wire.value);
    if (value > kIntegerMax || value < -kIntegerMax) return malformed("integer is beyond 2^53");
    slot.integer(value);
    return {};
  }

  static Result<> real(const WireField& wire, const Slot& slot) {
    if (wire.wire != Wire::kFixed64) return malformed("wrong wire type");
    double value = 0;
    std::memcpy(&value, &wire.value, sizeof value);
    if (!(value - value == 0)) return malformed("number is not finite");
    if (slot.parent.is_array()) return malformed("lists of doubles are not used");
    slot.parent.set_number(slot.name, value);
    return {};
  }

  // Timestamp: seconds = 1, nanos = 2. The zero time is an empty message.
  static Result<> time(const Field& field, std::string_view bytes, const Slot& slot) {
    constexpr int64_t kSecondsMax = INT64_MAX / 1'000'000'000 - 1;  // year 2262
    WireReader reader(bytes);
    WireField part;
    int64_t seconds = 0;
    int64_t nanos = 0;
    while (reader.next(part)) {
      if (part.number == 1) seconds = static_cast<int64_t>(part.value);
      if (part.number == 2) nanos = static_cast<int32_t>(part.value);
    }
    if (reader.failed()) return malformed("bad time");
    // Go writes the zero time as null: no member, but an entry of a map stays.
    if (seconds == 0 && nanos == 0) {
      if (!slot.drops_empty && slot.parent.is_object()) slot.parent.set_null(slot.name);
      return {};
    }
    if (seconds > kSecondsMax || seconds < -kSecondsMax || nanos < 0 || nanos > 999'999'999) {
      return malformed("time is out of range");
    }
    const Wall at{seconds * 1'000'000'000 + nanos};
    slot.text(field.type == Type::kMicroTime ? rfc3339_micro(at) : rfc3339(at));
    return {};
  }

  static Result<> quantity(std::string_view bytes, const Slot& slot) {
    WireReader reader(bytes);
    WireField part;
    std::string_view text = "0";
    while (reader.next(part)) {
      if (part.number == 1 && part.wire == Wire::kBytes && !part.bytes.empty()) text = part.bytes;
    }
    if (reader.failed() || !is_text(text)) return malformed("bad quantity");
    slot.text(text);
    return {};
  }

  // type = 1 (0: integer, 1: string), intVal = 2, strVal = 3
  static Result<> int_or_string(std::string_view bytes, const Slot& slot) {
    WireReader reader(bytes);
    WireField part;
    bool is_string = false;
    int32_t number = 0;
    std::string_view text;
    while (reader.next(part)) {
      if (part.number == 1) is_string = part.value != 0;
      if (part.number == 2) number = static_cast<int32_t>(part.value);
      if (part.number == 3 && part.wire == Wire::kBytes) text = part.bytes;
    }
    if (reader.failed() || !is_text(text)) return malformed("bad IntOrString");
    if (is_string) {
      slot.text(text);
    } else {
      slot.integer(number);
    }
    return {};
  }

  // RawExtension.raw = 1, FieldsV1.Raw = 1: JSON as bytes.
  Result<> raw(std::string_view bytes, const Slot& slot) {
    WireReader reader(bytes);
    WireField part;
    std::string_view text;
    while (reader.next(part)) {
      if (part.number == 1 && part.wire == Wire::kBytes) text = part.bytes;
    }
    if (reader.failed()) return malformed("bad raw value");
    if (text.empty()) return {};
    nodes_ += text.size() / 2;  // no JSON text has more values
    if (nodes_ > limits::kJsonNodesMax) return malformed("too many values");
    json::Tree tree;
    slot.node(TRY(tree.parse(text)));
    return {};
  }

  // ExtraValue: items = 1
  Result<> strings(std::string_view bytes, const Slot& slot) {
    WireReader reader(bytes);
    WireField part;
    const json::Node list = slot.parent.is_object() ? slot.parent.array(slot.name) : json::Node();
    while (reader.next(part)) {
      if (part.number != 1) continue;
      if (++nodes_ > limits::kJsonNodesMax) return malformed("too many values");
      if (part.wire != Wire::kBytes || !is_text(part.bytes))
        return malformed("bad list of strings");
      list.append(part.bytes);
    }
    if (reader.failed()) return malformed("bad list of strings");
    return {};
  }

  size_t depth_ = 0;
  size_t nodes_ = 0;
  size_t steps_ = 0;
};

}  // namespace

Result<ProtobufEnvelope> open_protobuf(std::string_view body) {
  if (!body.starts_with(kMagic)) return malformed("the prefix k8s\\0 is missing");
  ProtobufEnvelope envelope;
  std::string_view type_meta;
  WireReader unknown(body.substr(kMagic.size()));
  WireField part;
  while (unknown.next(part)) {
    if (part.number > 4) continue;
    if (part.wire != Wire::kBytes) return malformed("wrong wire type in envelope");
    if (part.number == 1) type_meta = part.bytes;
    if (part.number == 2) envelope.raw = part.bytes;
    if (part.number == 3 && !part.bytes.empty())
      return malformed("content encodings are not supported");
  }
  WireReader type(type_meta);
  while (type.next(part)) {
    if (part.number == 1) envelope.api_version = part.bytes;
    if (part.number == 2) envelope.kind = part.bytes;
  }
  if (unknown.failed() || type.failed()) return malformed("unexpected end of envelope");
  if (!is_text(envelope.api_version) || !is_text(envelope.kind))
    return malformed("bad type in envelope");
  return envelope;
}

Result<> decode_protobuf(const Message& message, std::string_view raw, json::Node into) {
  return ProtobufWalk().message(message, raw, into, 0);
}

}  // namespace coracle::api
