// SPDX-License-Identifier: GPL-2.0-or-later
// Whatever the bytes are, what is decoded is an object of fields of the kind that were declared.
#include <cstddef>
#include <cstdint>

#include "api/kind.h"
#include "api/processing.h"
#include "json/tree.h"

using namespace coracle;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto envelope = api::open_protobuf(text);
  const std::string_view raw = envelope ? envelope->raw : text;
  const api::Kind* kinds[] = {&api::kPod,  &api::kService, &api::kDeployment, &api::kSecret,
                              &api::kNode, &api::kEvent,   &api::kLease};
  const api::Kind& kind = *kinds[bytes[0] % std::size(kinds)];
  json::Tree tree, again;
  const json::Node object = tree.make_object();
  if (!api::decode_protobuf(*kind.message, raw, object)) return 0;
  ASSERT(object.is_object());
  ASSERT(again.parse(json::write(object)).has_value());
  const auto unknown = api::check_fields(*kind.message, object);
  ASSERT(!unknown || unknown->empty());
  return 0;
}
