// SPDX-License-Identifier: GPL-2.0-or-later
// The canonical form stands for the same value. (It need not be its own: without a suffix a number
// of bytes no longer tells that it was binary, as upstream.)
#include "api/quantity.h"

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "base/time.h"

using namespace coracle;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  parse_rfc3339(text);
  const auto canonical = api::canonical_quantity(text);
  ASSERT(canonical.has_value() == api::quantity_value(text).has_value());
  if (!canonical) return 0;
  ASSERT(api::compare_quantities(text, *canonical) == 0);
  ASSERT(api::quantity_value(text) == api::quantity_value(*canonical));
  ASSERT(api::quantity_millis(text) == api::quantity_millis(*canonical));
  return 0;
}
