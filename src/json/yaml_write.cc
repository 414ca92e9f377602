// SPDX-License-Identifier: GPL-2.0-or-later
// Items to libyaml's events, in the style of sigs.k8s.io/yaml: strings plain unless they would be
// read as something else, literal blocks for several lines, lists not indented. Members keep the
// order of the tree.
#include <algorithm>
#include <string>
#include <vector>

#include <yaml.h>

#include "json/item.h"
#include "json/utf8.h"
#include "json/yaml_scalar.h"

namespace coracle::json {

namespace {

const auto* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

int append_to(void* out, unsigned char* text, size_t size) {
  static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(text), size);
  return 1;
}

// YYYY-M-D, alone or followed by a time.
bool starts_with_date(std::string_view text) {
  const auto drop_number = [&text](size_t digits_max) {
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(digits);
    return digits > 0 && digits <= digits_max;
  };
  const auto drop_dash = [&text] {
    const bool dash = text.starts_with('-');
    if (dash) text.remove_prefix(1);
    return dash;
  };
  return drop_number(4) && drop_dash() && drop_number(2) && drop_dash() && drop_number(2) &&
         (text.empty() || text[0] == 'T' || text[0] == 't' || text[0] == ' ');
}

// Dates and numbers to base 60 are strings for our reader, but not for every reader of YAML 1.1.
bool looks_like_time(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == text.size() || digits == 0) return false;
  if (text[digits] == '-') return digits == 4 && starts_with_date(text);
  return text[digits] == ':' && text.find_first_not_of("0123456789:._") == std::string_view::npos;
}

yaml_scalar_style_t style_of(std::string_view text) {
  if (text.find('\n') != std::string_view::npos) return YAML_LITERAL_SCALAR_STYLE;
  const bool safe = resolve_yaml(text).kind == YamlScalar::Kind::kString && !looks_like_time(text);
  return safe ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
}

std::vector<const Item*> children(const Item* parent) {
  std::vector<const Item*> list;
  for (const Item* child = parent->first(); child != nullptr; child = child->following()) {
    list.push_back(child);
  }
  if (parent->is(cJSON_Object)) {
    std::sort(list.begin(), list.end(),
              [](const Item* a, const Item* b) { return a->key() < b->key(); });
  }
  return list;
}

class Emitter {
 public:
  explicit Emitter(std::string& out) {
    ready_ = yaml_emitter_initialize(&emitter_) != 0;
    if (!ready_) return;
    yaml_emitter_set_output(&emitter_, append_to, &out);
    yaml_emitter_set_unicode(&emitter_, 1);
    yaml_emitter_set_width(&emitter_, -1);
  }
  ~Emitter() {
    if (ready_) yaml_emitter_delete(&emitter_);
  }
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  void document(const Item* root) {
    yaml_event_t event;
    emit(event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(event, yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1));
    value(root);
    emit(event, yaml_document_end_event_initialize(&event, 1));
    emit(event, yaml_stream_end_event_initialize(&event));
  }

 private:
  void emit(yaml_event_t& event, int made) {
    // libyaml frees the event; after a failure (out of memory) the rest is dropped.
    if (ready_ && made != 0 && !failed_) failed_ = yaml_emitter_emit(&emitter_, &event) == 0;
  }
  void scalar(std::string_view text, yaml_scalar_style_t style) {
    yaml_event_t event;
    emit(event, yaml_scalar_event_initialize(&event, nullptr, nullptr, bytes(text),
                                             static_cast<int>(text.size()), 1, 1, style));
  }
  void string(std::string_view text) {
    const std::string valid = repair_utf8(text);
    scalar(valid, style_of(valid));
  }
  void value(const Item* item);

  yaml_emitter_t emitter_{};
  bool ready_ = false;
  bool failed_ = false;
};

void Emitter::value(const Item* item) {
  if (item->is(cJSON_String)) return string(item->text());
  if (!item->is_container()) {
    std::string text;
    write_to(text, Inside::node(const_cast<Item*>(item), nullptr));
    return scalar(text, YAML_PLAIN_SCALAR_STYLE);
  }
  yaml_event_t event;
  const bool object = item->is(cJSON_Object);
  const bool flow = item->child == nullptr;  // {} and []
  emit(event, object ? yaml_mapping_start_event_initialize(
                           &event, nullptr, nullptr, 1,
                           flow ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE)
                     : yaml_sequence_start_event_initialize(
                           &event, nullptr, nullptr, 1,
                           flow ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE));
  for (const Item* child : children(item)) {
    if (object) string(child->key());
    value(child);
  }
  emit(event, object ? yaml_mapping_end_event_initialize(&event)
                     : yaml_sequence_end_event_initialize(&event));
}

}  // namespace

std::string write_yaml(Node node) {
  std::string out;
  const Item* item = Inside::item(node);
  if (item != nullptr) Emitter(out).document(item);
  return out;
}

}  // namespace coracle::json
