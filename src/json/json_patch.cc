// SPDX-License-Identifier: GPL-2.0-or-later
// RFC 6902. Where the RFC leaves room this follows evanphx/json-patch, which upstream's API server
// uses: a `test` for null also passes when the member is absent. Negative array indices are not
// taken.
#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"
#include "json/item.h"
#include "json/merge.h"
#include "json/path.h"

namespace coracle::json {

namespace {

constexpr size_t kStepsMax = 20'000'000;  // siblings visited; about a tenth of a second
constexpr size_t kEchoMax = 64;

struct Size {
  size_t nodes = 0;
  size_t bytes = 0;
};

// False if `item` is nested deeper than `depth`; never descends further than that.
bool measure(const Item* item, size_t depth, Size& size) {
  size.nodes++;
  size.bytes += item->text_size + item->key_size;
  if (item->is_container() && depth == 0) return false;
  for (const Item* child = item->first(); child != nullptr; child = child->following()) {
    if (!measure(child, depth - 1, size)) return false;
  }
  return true;
}

class Patch {
 public:
  explicit Patch(Node target)
      : root_(Inside::item(target)),
        arena_(Inside::arena(Inside::tree(target))) {}

  Result<> apply(Node operation);
  Result<> finish() const;

 private:
  using Tokens = std::vector<std::string>;

  Result<> add(const Tokens& path, Item* value);
  Result<Item*> take(const Tokens& path);
  Result<> replace(const Tokens& path, Node value);
  Result<> move(const Tokens& from, const Tokens& path);
  Result<> copy(const Tokens& from, const Tokens& path);
  Result<> test(const Tokens& path, Node value);

  Result<Item*> walk(const Tokens& path,
                     size_t count);  // the node named by the first `count` tokens
  Result<Item*> child(Item* parent, const std::string& token);  // null if absent
  Result<Item*> existing(const Tokens& path);
  Error missing() const { return fail(Code::kInvalid, "the path does not exist"); }

  Item* root_;
  Arena& arena_;
  size_t steps_ = 0;
  Size copied_;
};

Result<Item*> Patch::child(Item* parent, const std::string& token) {
  Item* at = parent->first();
  if (parent->is(cJSON_Object)) {
    while (at != nullptr && at->key() != token)
      at = at->following(), steps_++;
  } else if (parent->is(cJSON_Array)) {
    auto index = array_index(token);
    if (!index) return fail(Code::kInvalid, "not an array index");
    while (at != nullptr && (*index)-- > 0)
      at = at->following(), steps_++;
  } else {
    return missing();
  }
  if (++steps_ > kStepsMax) return fail(Code::kTooLarge, "the patch takes too many steps");
  return at;
}

Result<Item*> Patch::walk(const Tokens& path, size_t count) {
  Item* at = root_;
  for (size_t i = 0; i < count; i++) {
    at = TRY(child(at, path[i]));
    if (at == nullptr) return missing();
  }
  return at;
}

Result<Item*> Patch::existing(const Tokens& path) {
  return walk(path, path.size());
}

Result<> Patch::add(const Tokens& path, Item* value) {
  if (path.empty()) {
    take_value(root_, value);
    return {};
  }
  Item* parent = TRY(walk(path, path.size() - 1));
  const std::string& last = path.back();
  if (parent->is(cJSON_Array) && last == "-") {
    link_last(parent, value);
    return {};
  }
  Item* at = TRY(child(parent, last));
  if (parent->is(cJSON_Object)) {
    if (at != nullptr) {
      take_value(at, value);
    } else {
      name_item(arena_, value, last);
      link_last(parent, value);
    }
    return {};
  }
  const auto size = static_cast<size_t>(cJSON_GetArraySize(parent));
  steps_ += at == nullptr ? size : 0;
  if (at == nullptr && array_index(last) != size) {
    return fail(Code::kInvalid, "array index out of bounds");
  }
  link_before(parent, at, value);
  return {};
}

// Unlinks what `path` names and strips its key.
Result<Item*> Patch::take(const Tokens& path) {
  if (path.empty()) return fail(Code::kInvalid, "the whole document cannot be removed");
  Item* parent = TRY(walk(path, path.size() - 1));
  Item* at = TRY(child(parent, path.back()));
  if (at == nullptr) return missing();
  unlink(parent, at);
  at->string = nullptr;
  at->key_size = 0;
  return at;
}

Result<> Patch::replace(const Tokens& path, Node value) {
  Item* at = TRY(existing(path));
  take_value(at, copy_item(arena_, Inside::item(value)));
  return {};
}

Result<> Patch::move(const Tokens& from, const Tokens& path) {
  TRY(existing(from));
  if (from == path) return {};
  const bool inside =
      from.size() < path.size() && std::equal(from.begin(), from.end(), path.begin());
  if (inside) return fail(Code::kInvalid, "a value cannot be moved into itself");
  Item* item = TRY(take(from));
  return add(path, item);
}

// Copies are the only operation whose result may be larger than the patch.
Result<> Patch::copy(const Tokens& from, const Tokens& path) {
  const Item* item = TRY(existing(from));
  if (!measure(item, limits::kJsonDepthMax, copied_)) {
    return fail(Code::kInvalid, "the result is nested too deeply");
  }
  if (copied_.nodes > limits::kJsonNodesMax || copied_.bytes > limits::kBodyBytesMax) {
    return fail(Code::kTooLarge, "the patch copies too much");
  }
  return add(path, copy_item(arena_, item));
}

Result<> Patch::test(const Tokens& path, Node value) {
  const Item* at = root_;
  if (!path.empty()) {
    Item* parent = TRY(walk(path, path.size() - 1));
    at = TRY(child(parent, path.back()));
  }
  if (at == nullptr && value.is_null()) return {};
  if (at == nullptr) return missing();
  if (!equal(Inside::node(const_cast<Item*>(at), nullptr), value)) {
    return fail(Code::kInvalid, "the test failed");
  }
  return {};
}

Result<> Patch::apply(Node operation) {
  const std::string_view op = operation["op"].string();
  const Node path_node = operation["path"];
  const Node from_node = operation["from"];
  const Node value = operation["value"];
  if (!path_node.is_string()) return fail(Code::kBadRequest, "no path");
  const Tokens path = TRY(parse_pointer(path_node.string()));
  if (op == "remove") {
    TRY(take(path));
    return {};
  }
  if (op == "move" || op == "copy") {
    if (!from_node.is_string()) return fail(Code::kBadRequest, "no from");
    const Tokens from = TRY(parse_pointer(from_node.string()));
    return op == "move" ? move(from, path) : copy(from, path);
  }
  if (op != "add" && op != "replace" && op != "test") {
    return fail(Code::kBadRequest, "op must be add, remove, replace, move, copy or test");
  }
  if (!value) return fail(Code::kBadRequest, "no value");
  if (op == "add") return add(path, copy_item(arena_, Inside::item(value)));
  return op == "replace" ? replace(path, value) : test(path, value);
}

Result<> Patch::finish() const {
  Size size;
  if (!measure(root_, limits::kJsonDepthMax, size)) {
    return fail(Code::kInvalid, "the patched object is nested too deeply");
  }
  return {};
}

}  // namespace

Result<> json_patch(Node target, Node operations) {
  if (!target) return fail(Code::kBadRequest, "nothing to patch");
  if (!operations.is_array()) return fail(Code::kBadRequest, "JSON patch must be an array");
  if (operations.size() > limits::kPatchOperationsMax) {
    return fail(Code::kTooLarge, join({"the allowed maximum operations in a JSON patch is ",
                                       std::to_string(limits::kPatchOperationsMax), ", got ",
                                       std::to_string(operations.size())}));
  }
  Patch patch(target);
  size_t number = 0;
  for (const Node operation : operations) {
    auto done = patch.apply(operation);
    if (!done) {
      const std::string_view path = operation["path"].string().substr(0, kEchoMax);
      return std::move(done).with(
          join({"JSON patch operation ", std::to_string(number), " at \"", path, "\""}));
    }
    number++;
  }
  return patch.finish();
}

}  // namespace coracle::json
