// SPDX-License-Identifier: GPL-2.0-or-later
// libyaml's events to items. Guarded at event level: depth and sizes as for JSON, one document, and
// no anchors, aliases or tags, so a small text cannot become a large tree.
#include <string>
#include <vector>

#include <yaml.h>

#include "base/bytes.h"
#include "json/item.h"
#include "json/scanner.h"
#include "json/yaml_scalar.h"

namespace coracle::json {

namespace {

class Events {
 public:
  explicit Events(std::string_view text) {
    if (yaml_parser_initialize(&parser_) == 0) return;
    ready_ = true;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  ~Events() {
    drop();
    if (ready_) yaml_parser_delete(&parser_);
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // The event is valid until the next call. Null if the text is not YAML.
  const yaml_event_t* next() {
    drop();
    held_ = ready_ && yaml_parser_parse(&parser_, &event_) != 0;
    return held_ ? &event_ : nullptr;
  }
  const char* problem() const { return parser_.problem != nullptr ? parser_.problem : "not YAML"; }
  size_t line() const { return (held_ ? event_.start_mark.line : parser_.problem_mark.line) + 1; }

 private:
  void drop() {
    if (held_) yaml_event_delete(&event_);
    held_ = false;
  }
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool ready_ = false;
  bool held_ = false;
};

std::string_view view(const yaml_event_t& event) {
  return {reinterpret_cast<const char*>(event.data.scalar.value), event.data.scalar.length};
}

class Builder {
 public:
  Builder(Arena& arena, std::string_view text, ParseNotes* notes)
      : arena_(arena),
        events_(text),
        notes_(notes) {}
  Result<Item*> document();

 private:
  struct Level {
    Item* container;
    Item* named = nullptr;  // carries the key that waits for its value
    size_t children = 0;
  };

  bool take(const yaml_event_t& event);
  bool scalar(const yaml_event_t& event);
  bool key(const yaml_event_t& event);
  bool start(int type);
  bool end();
  bool attach(Item* item);
  bool expects_key() const {
    return !levels_.empty() && levels_.back().container->is(cJSON_Object) &&
           levels_.back().named == nullptr;
  }
  bool refuse(const char* why) {
    if (why_ == nullptr) why_ = why;
    return false;
  }

  Arena& arena_;
  Events events_;
  ParseNotes* notes_;
  std::vector<Level> levels_;
  Trail trail_;
  Item* root_ = nullptr;
  size_t nodes_ = 0;
  size_t documents_ = 0;
  const char* why_ = nullptr;
};

Result<Item*> Builder::document() {
  for (;;) {
    const yaml_event_t* event = events_.next();
    if (event == nullptr) refuse(events_.problem());
    if (event == nullptr || !take(*event)) {
      return fail(Code::kBadRequest,
                  join({"invalid YAML at line ", std::to_string(events_.line()), ": ", why_}));
    }
    if (event->type == YAML_STREAM_END_EVENT) break;
  }
  return root_ != nullptr ? root_ : new_item(arena_, cJSON_NULL);
}

bool Builder::take(const yaml_event_t& event) {
  switch (event.type) {
    case YAML_DOCUMENT_START_EVENT:
      return ++documents_ == 1 || refuse("more than one document");
    case YAML_ALIAS_EVENT:
      return refuse("aliases are not supported");
    case YAML_SCALAR_EVENT:
      return scalar(event);
    case YAML_SEQUENCE_START_EVENT:
      if (event.data.sequence_start.anchor != nullptr) return refuse("anchors are not supported");
      if (event.data.sequence_start.tag != nullptr) return refuse("tags are not supported");
      return start(cJSON_Array);
    case YAML_MAPPING_START_EVENT:
      if (event.data.mapping_start.anchor != nullptr) return refuse("anchors are not supported");
      if (event.data.mapping_start.tag != nullptr) return refuse("tags are not supported");
      return start(cJSON_Object);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      return end();
    default:
      return true;
  }
}

bool Builder::scalar(const yaml_event_t& event) {
  if (event.data.scalar.anchor != nullptr) return refuse("anchors are not supported");
  if (event.data.scalar.tag != nullptr) return refuse("tags are not supported");
  if (view(event).find('\0') != std::string_view::npos) return refuse("NUL in a string");
  if (expects_key()) return key(event);
  if (event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
    return attach(new_text(arena_, view(event)));
  }
  const YamlScalar value = resolve_yaml(view(event));
  switch (value.kind) {
    case YamlScalar::Kind::kNull:
      return attach(new_item(arena_, cJSON_NULL));
    case YamlScalar::Kind::kNumber:
      return attach(new_number(arena_, value.number));
    case YamlScalar::Kind::kString:
      return attach(new_text(arena_, view(event)));
    case YamlScalar::Kind::kRefused:
      return refuse(value.why);
    case YamlScalar::Kind::kBoolean:
      break;
  }
  return attach(new_item(arena_, value.boolean ? cJSON_True : cJSON_False));
}

// Keys that are not strings become the text of their value, as sigs.k8s.io/yaml has it: `on: 1` is
// {"true":1}.
bool Builder::key(const yaml_event_t& event) {
  if (++levels_.back().children > limits::kJsonKeysMax) {
    return refuse("too many keys in one object");
  }
  YamlScalar value;
  if (event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE) value = resolve_yaml(view(event));
  std::string text(view(event));
  switch (value.kind) {
    case YamlScalar::Kind::kNull:
      return refuse("null as a key");
    case YamlScalar::Kind::kRefused:
      return refuse(value.why);
    case YamlScalar::Kind::kBoolean:
      text = value.boolean ? "true" : "false";
      break;
    case YamlScalar::Kind::kNumber:
      text.clear();
      write_number(text, value.number);
      break;
    case YamlScalar::Kind::kString:
      break;
  }
  Item* named = new_item(arena_, cJSON_NULL);
  name_item(arena_, named, text);
  levels_.back().named = named;
  trail_.at(named);
  return true;
}

// Takes over the key that waits for this value.
bool Builder::attach(Item* item) {
  if (++nodes_ > limits::kJsonNodesMax) return refuse("too many values in one document");
  if (levels_.empty()) {
    root_ = item;
    return true;
  }
  Level& level = levels_.back();
  if (level.container->is(cJSON_Object)) {
    item->string = level.named->string;
    item->key_size = level.named->key_size;
    level.named = nullptr;
  } else {
    trail_.at(item);
  }
  link_last(level.container, item);
  return true;
}

bool Builder::start(int type) {
  if (expects_key()) return refuse("a key must be a scalar");
  if (trail_.depth() == limits::kJsonDepthMax) return refuse("nested too deeply");
  Item* container = new_item(arena_, type);
  if (!attach(container)) return false;
  trail_.enter(container);
  levels_.push_back({container});
  return true;
}

bool Builder::end() {
  const Level& level = levels_.back();
  if (level.children > 1) note_duplicates(level.container, level.children, trail_, notes_);
  levels_.pop_back();
  trail_.leave();
  return true;
}

}  // namespace

Result<Node> Tree::parse_yaml(std::string_view text, ParseNotes* notes) {
  root_ = nullptr;
  arena_ = Arena();
  if (text.size() > limits::kJsonBytesMax) {
    return fail(Code::kBadRequest, "YAML document is too large");
  }
  root_ = TRY(Builder(arena_, text, notes).document());
  return root();
}

}  // namespace coracle::json
