// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/openapi_v2.h"

#include "api/kind.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

// Field numbers of google/gnostic openapiv2/OpenAPIv2.proto.
enum : uint32_t {
  kDocumentSwagger = 1,
  kDocumentInfo = 2,
  kDocumentPaths = 8,
  kInfoTitle = 1,
  kInfoVersion = 2,
  kPathsPath = 2,
  kNamedName = 1,
  kNamedValue = 2,
  kPathItemPatch = 8,
  kOperationParameters = 8,
  kOperationExtension = 13,
  kParametersItemParameter = 1,
  kParameterNonBody = 2,
  kNonBodyQuery = 3,
  kQueryIn = 2,
  kQueryName = 4,
  kQueryType = 6,
  kAnyYaml = 2,
};

std::string field(uint32_t number, std::string_view content) {
  std::string out;
  const auto varint = [&out](size_t value) {
    for (; value >= 0x80; value >>= 7)
      out += static_cast<char>((value & 0x7f) | 0x80);
    out += static_cast<char>(value);
  };
  varint((number << 3) | 2u);
  varint(content.size());
  out += content;
  return out;
}

std::string field_validation() {
  const std::string query =
      field(kQueryIn, "query") + field(kQueryName, "fieldValidation") + field(kQueryType, "string");
  return field(kParametersItemParameter, field(kParameterNonBody, field(kNonBodyQuery, query)));
}

std::string patch_of(const api::Kind& kind) {
  const std::string yaml =
      join({"group: \"", kind.group, "\"\nkind: ", kind.name, "\nversion: ", kind.version, "\n"});
  const std::string extension = field(kNamedName, "x-kubernetes-group-version-kind") +
                                field(kNamedValue, field(kAnyYaml, yaml));
  return field(kOperationParameters, field_validation()) + field(kOperationExtension, extension);
}

std::string path_of(const api::Kind& kind) {
  const std::string version = api::group_version(kind);
  return join({kind.group.empty() ? "/api/" : "/apis/", version,
               kind.namespaced ? "/namespaces/{namespace}/" : "/", kind.plural, "/{name}"});
}

}  // namespace

bool accepts_openapi_v2(const Request& request) {
  return request.http.header("accept").find("proto-openapi.spec.v2") != std::string_view::npos;
}

std::string openapi_v2_document() {
  std::string paths;
  for (const api::Kind* kind : api::all_kinds()) {
    if (kind->is_custom) continue;
    const std::string item = field(kPathItemPatch, patch_of(*kind));
    paths += field(kPathsPath, field(kNamedName, path_of(*kind)) + field(kNamedValue, item));
  }
  for (const api::Kind* kind : api::twin_kinds()) {
    const std::string item = field(kPathItemPatch, patch_of(*kind));
    paths += field(kPathsPath, field(kNamedName, path_of(*kind)) + field(kNamedValue, item));
  }
  const std::string info = field(kInfoTitle, "Kubernetes") + field(kInfoVersion, "v1.36.2");
  return field(kDocumentSwagger, "2.0") + field(kDocumentInfo, info) + field(kDocumentPaths, paths);
}

}  // namespace coracle::apiserver
