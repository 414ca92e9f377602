// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/selection.h"

#include "apiserver/format.h"
#include "base/bytes.h"

namespace coracle::apiserver {

Result<Selection> Selection::read(const Request& request) {
  Selection selection;
  if (!request.options.label_selector.empty()) {
    selection.labels_ = TRY(api::LabelSelector::parse(request.options.label_selector));
  }
  const std::string& fields = request.options.field_selector;
  if (fields.empty()) return selection;
  selection.fields_ = TRY(api::FieldSelector::parse(request.spoken(), fields));
  selection.name_ = std::string(selection.fields_.required("metadata.name"));
  selection.only_name_ = !selection.name_.empty() && selection.labels_.empty() &&
                         (fields == "metadata.name=" + selection.name_ ||
                          fields == "metadata.name==" + selection.name_);
  return selection;
}

bool Selection::matches_object(json::Node object) const {
  return labels_.matches(object["metadata"]["labels"]) && fields_.matches(object);
}

bool Selection::matches(std::string_view text) const {
  if (everything()) return true;
  json::Tree tree;
  if (needs_object()) {
    const Result<json::Node> object = tree.parse(text);
    return object && matches_object(*object);
  }
  const std::string partial = join({"{\"metadata\":", metadata_text(text), "}"});
  const Result<json::Node> object = tree.parse(partial);
  return object && matches_object(*object);
}

}  // namespace coracle::apiserver
