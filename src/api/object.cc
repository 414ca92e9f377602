// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/object.h"

#include <charconv>
#include <cstring>

#include "api/custom_kinds.h"
#include "base/assert.h"
#include "json/writer.h"

namespace coracle::api {
namespace {

constexpr std::string_view kMetadataKey = "\"metadata\":{";

// Reads compact JSON (no white space outside strings) without building anything. Never leaves the
// text.
class Skimmer {
 public:
  explicit Skimmer(std::string_view text) : text_(text) {}

  bool take(std::string_view literal) {
    if (text_.substr(at_, literal.size()) != literal) return false;
    at_ += literal.size();
    return true;
  }

  // The raw content of a string, escapes untouched.
  bool take_string(std::string_view& content) {
    if (!take("\"")) return false;
    const size_t begin = at_;
    while (const void* quote = std::memchr(text_.data() + at_, '"', text_.size() - at_)) {
      at_ = static_cast<size_t>(static_cast<const char*>(quote) - text_.data()) + 1;
      if (!escaped(begin, at_ - 1)) {
        content = text_.substr(begin, at_ - 1 - begin);
        return true;
      }
    }
    return false;
  }

  bool skip_value() {
    size_t depth = 0;
    std::string_view ignored;
    do {
      if (at_ >= text_.size()) return false;
      const char c = text_[at_];
      if (c == '"') {
        if (!take_string(ignored)) return false;
      } else if (c == '{' || c == '[') {
        depth++;
        at_++;
      } else if (c == '}' || c == ']') {
        if (depth == 0) return false;
        depth--;
        at_++;
      } else if (depth == 0) {
        skip_literal();
        return true;
      } else {
        at_++;
      }
    } while (depth > 0);
    return true;
  }

 private:
  bool escaped(size_t begin, size_t quote) const {
    size_t backslashes = 0;
    while (quote > begin && text_[quote - 1] == '\\') {
      backslashes++;
      quote--;
    }
    return backslashes % 2 == 1;
  }
  void skip_literal() {  // number, true, false, null
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '}' && text_[at_] != ']')
      at_++;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// Position just behind `"metadata":{`; npos if the text is not in normal form. Kinds and versions
// are plain words, so the first occurrence of the key is the object's own.
size_t metadata_begin(std::string_view text) {
  const size_t key = text.substr(0, 256).find(kMetadataKey);
  return key == std::string_view::npos ? key : key + kMetadataKey.size();
}

struct Identity {
  std::string_view ns;
  std::string_view name;
  std::string_view uid;
  bool deleting = false;
};

bool read_member(Skimmer& skimmer, Identity& identity) {
  std::string_view key;
  if (!skimmer.take_string(key) || !skimmer.take(":")) return false;
  if (key == "name") return skimmer.take_string(identity.name);
  if (key == "namespace") return skimmer.take_string(identity.ns);
  if (key == "uid") return skimmer.take_string(identity.uid);
  if (key == "resourceVersion") return false;
  if (key == "deletionTimestamp") identity.deleting = true;
  return skimmer.skip_value();
}

// What the text of a custom resource says that it is: its own version of the kind that its key
// told of.
const Kind* custom_kind_of(const Kind& kind, std::string_view text) {
  Skimmer skimmer(text);
  std::string_view name;
  std::string_view version;
  if (!skimmer.take("{\"kind\":") || !skimmer.take_string(name)) return nullptr;
  if (!skimmer.take(",\"apiVersion\":") || !skimmer.take_string(version)) return nullptr;
  if (!version.starts_with(kind.group) || version.substr(kind.group.size(), 1) != "/")
    return nullptr;
  return intern_custom_kind(kind.group, kind.plural, version.substr(kind.group.size() + 1), name,
                            kind.namespaced);
}

bool read_identity(const Kind& kind, std::string_view text, Identity& identity) {
  if (text.size() < 2 || text.back() != '}') return false;
  Skimmer skimmer(text);
  std::string_view name;
  std::string_view version;
  if (!skimmer.take("{\"kind\":") || !skimmer.take_string(name) || name != kind.name) return false;
  if (!skimmer.take(",\"apiVersion\":") || !skimmer.take_string(version)) return false;
  if (version != group_version(kind) || !skimmer.take(",") || !skimmer.take(kMetadataKey))
    return false;
  if (skimmer.take("}")) return true;
  do {
    if (!read_member(skimmer, identity)) return false;
  } while (skimmer.take(","));
  return skimmer.take("}");
}

// Names are checked before they are stored and need no escapes; anything else is damage.
bool is_plain(std::string_view text) {
  return text.find('\\') == std::string_view::npos;
}

void write_members(json::Writer& writer,
                   std::string& out,
                   json::Node object,
                   std::initializer_list<std::string_view> but) {
  for (json::Node child : object) {
    bool dropped = false;
    for (std::string_view name : but)
      dropped = dropped || child.key() == name;
    if (dropped) continue;
    writer.key(child.key());
    writer.raw({});
    json::write_to(out, child);
  }
}

}  // namespace

void Object::write_to(std::string& out) const {
  splice_version(out, text_, version_);
}

json::Node Object::parse(json::Tree& tree) const {
  Result<json::Node> root = tree.parse(text_);
  ASSERT(root);
  char version[24];
  const auto end = std::to_chars(version, version + sizeof version, version_);
  (*root)["metadata"].set("resourceVersion", std::string_view(version, end.ptr));
  return *root;
}

Result<ObjectRef> make_object(const Kind& kind, std::string text, uint64_t version) {
  ObjectRef reference;
  Object* object = new Object();
  reference = ObjectRef(object);
  object->kind_ = kind.is_custom ? custom_kind_of(kind, text) : &kind;
  if (object->kind_ == nullptr) return fail(Code::kCorrupt, "object is not in normal form");
  object->version_ = version;
  object->text_ = std::move(text);
  object->text_.shrink_to_fit();
  Identity identity;
  if (!read_identity(*object->kind_, object->text_, identity) || !is_plain(identity.ns) ||
      !is_plain(identity.name) || !is_plain(identity.uid)) {
    return fail(Code::kCorrupt, "object is not in normal form");
  }
  object->ns_ = identity.ns;
  object->name_ = identity.name;
  object->uid_ = identity.uid;
  object->deleting_ = identity.deleting;
  return reference;
}

std::string normal_text(const Kind& kind, json::Node object) {
  std::string out;
  out.reserve(2048);
  json::Writer writer(out);
  writer.begin_object();
  writer.member("kind", kind.name);
  writer.member("apiVersion", group_version(kind));
  writer.key("metadata");
  writer.begin_object();
  write_members(writer, out, object["metadata"], {"resourceVersion"});
  writer.end_object();
  write_members(writer, out, object, {"kind", "apiVersion", "metadata"});
  writer.end_object();
  return out;
}

Result<ObjectRef> seal(const Kind& kind, json::Node object, uint64_t version) {
  return make_object(kind, normal_text(kind, object), version);
}

void splice_version(std::string& out, std::string_view text, uint64_t version) {
  const size_t begin = metadata_begin(text);
  ASSERT(begin != std::string_view::npos);
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, version);
  const bool alone = text.substr(begin, 1) == "}";
  out.reserve(out.size() + text.size() + 44);
  out.append(text.substr(0, begin));
  out.append("\"resourceVersion\":\"");
  out.append(digits, end.ptr);
  out.append(alone ? "\"" : "\",");
  out.append(text.substr(begin));
}

}  // namespace coracle::api
