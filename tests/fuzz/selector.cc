// SPDX-License-Identifier: GPL-2.0-or-later
// Selectors of a query: refused with 400, or they answer for any object.
#include "api/selector.h"

#include <cstddef>
#include <cstdint>

#include "api/kind.h"
#include "json/tree.h"

using namespace coracle;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  json::Tree tree;
  const json::Node pod =
      *tree.parse(R"({"metadata":{"name":"a","labels":{"a":"b","c":""}},"spec":{"nodeName":"n"}})");
  const auto labels = api::LabelSelector::parse(text);
  if (labels) {
    labels->matches(pod["metadata"]["labels"]);
    labels->matches({});
  } else {
    ASSERT(labels.error().code == Code::kBadRequest);
  }
  const auto fields = api::FieldSelector::parse(api::kPod, text);
  if (fields) {
    fields->matches(pod);
    fields->required("metadata.name");
  } else {
    ASSERT(fields.error().code == Code::kBadRequest);
  }
  return 0;
}
