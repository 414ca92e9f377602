// SPDX-License-Identifier: GPL-2.0-or-later
// How a client wants objects shown: as they are, as rows of a Table, or as metadata only
// (meta.k8s.io/v1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/kind.h"
#include "api/object.h"
#include "apiserver/request.h"
#include "base/result.h"
#include "base/time.h"

namespace coracle::apiserver {

enum class Shape : uint8_t { kObject, kTable, kPartial };
enum class Include : uint8_t { kMetadata, kObject, kNone };  // of a Table row

struct Format {
  Shape shape = Shape::kObject;
  Include include = Include::kMetadata;
  bool beta = false;  // meta.k8s.io/v1beta1 was asked for

  friend bool operator==(Format, Format) = default;
  uint32_t number() const {  // small and distinct, for caches
    return static_cast<uint32_t>(shape) * 6 + static_cast<uint32_t>(include) * 2 + (beta ? 1u : 0u);
  }
  static constexpr uint32_t kNumbers = 18;
};

// By the Accept header: 406 if nothing that it takes is served.
Result<Format> negotiate(const Request& request);
// Where only plain JSON is served (reviews, subresources without objects).
Result<> accept_json(const Request& request);
// True if the client prefers aggregated discovery (apidiscovery.k8s.io/v2, APIGroupDiscoveryList).
bool accepts_aggregated_discovery(const Request& request);

// One object as the store or the ring holds it.
struct View {
  const api::Kind* kind = nullptr;
  std::string_view text;  // normal form
  uint64_t version = 0;   // 0: not stored (dry run), left out
};

void append_object(std::string& out, const View& view);
void append_partial(std::string& out, const View& view, bool beta);
void append_row(std::string& out, const View& view, Format format, Wall now);
// {"kind":"Table",...,"columnDefinitions":[...],"rows":[  -- the caller ends it with ]}. `metadata`
// is JSON; empty: left out.
struct TableHead {
  const api::Kind* kind = nullptr;
  bool beta = false;
  std::string_view metadata;
  bool columns = true;
};
void append_table_head(std::string& out, const TableHead& head);
std::string list_metadata(uint64_t version);  // {"resourceVersion":"7"}
std::string_view meta_version(bool beta);     // "meta.k8s.io/v1"
// A whole answer, or the object of one watch event.
void append_formatted(
    std::string& out, const View& view, Format format, Wall now, bool columns = true);

std::string_view metadata_text(std::string_view normal_text);  // {...} of metadata

}  // namespace coracle::apiserver
