// SPDX-License-Identifier: GPL-2.0-or-later
// From a body (JSON, YAML, protobuf, or a patch of the stored object) to the object that is to be
// written.
#pragma once

#include "apiserver/exchange.h"
#include "apiserver/request.h"
#include "json/merge.h"

namespace coracle::apiserver {

// create, update and patch of whole objects and of /status.
Result<> decode_object(Parts& parts, Request& request);
// The options of a DELETE.
Result<> decode_delete(Parts& parts, Request& request);
// A body that is no stored kind; null Node if there is none and `needed` is false. Into
// request.body.
struct BodyKind {
  std::string_view api_version;
  std::string_view kind;
  bool needed = true;
};
Result<> decode_body(Request& request, BodyKind expected);
// From the content type of a PATCH (in process it is known already); 415.
Result<> read_patch_type(Request& request);
// Applies the patch in the request's body to `target` (request.patch_type is set from the content
// type).
Result<> apply_patch(Request& request, json::Node target, json::MergeSchema schema);

// The stored object into request.stored and request.old; 404 if there is none.
Result<> load_stored(Parts& parts, Request& request);

// Kind, place and fields of an applied configuration.
Result<> check_applied(Request& request, json::Node applied, const json::ParseNotes& notes);

}  // namespace coracle::apiserver
