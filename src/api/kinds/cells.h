// SPDX-License-Identifier: GPL-2.0-or-later
// Table cells and their texts that several kinds share (kubernetes pkg/printers/internalversion).
#pragma once

#include <string>
#include <string_view>

#include "api/kind.h"

namespace coracle::api {

// "5m", or "<unknown>" for an absent time.
std::string time_since(json::Node time, Wall now);
// "a=b,c=d" in order of the keys, "<none>" for an empty map.
std::string labels_text(json::Node map);
// "a,b,c + 2 more..."; `count` is that of all, `shown` holds at most the first three.
std::string shown_and_more(std::string_view shown, size_t count, size_t most);
inline constexpr size_t kShownMax = 3;
// The same for a comma-separated list under construction.
void add_listed(std::string& list, std::string_view item);

// A path of member names as a template argument: text_at<"spec.provisioner">.
template <size_t N>
struct PathText {
  char text[N] = {};
  consteval PathText(const char (&path)[N]) {  // NOLINT(google-explicit-constructor)
    for (size_t at = 0; at < N; ++at)
      text[at] = path[at];
  }
};
json::Node at_path(json::Node object, std::string_view path);
template <PathText kPath>
void text_at(json::Node object, Wall, json::Writer& out) {
  out.value(at_path(object, kPath.text).string());
}
template <PathText kPath>
void number_at(json::Node object, Wall, json::Writer& out) {
  out.value(at_path(object, kPath.text).integer());
}
template <PathText kPath>
std::string label_at(json::Node object) {
  return std::string(at_path(object, kPath.text).string());
}
constexpr Column text_column(std::string_view name, Cell cell, bool wide = false) {
  return {.name = name, .cell = cell, .wide = wide};
}
constexpr Column number_column(std::string_view name, Cell cell, bool wide = false) {
  return {.name = name, .cell = cell, .type = "integer", .wide = wide};
}

void age_cell(json::Node object, Wall now, json::Writer& out);
inline constexpr Column kAgeColumn{
    .name = "Age", .cell = age_cell, .description = "Time since the object was created."};

// Of objects with a Pod template under spec.template.
void template_containers_cell(json::Node object, Wall now, json::Writer& out);
void template_images_cell(json::Node object, Wall now, json::Writer& out);
void label_selector_cell(json::Node object, Wall now, json::Writer& out);  // spec.selector
inline constexpr Column kTemplateContainersColumn{.name = "Containers",
                                                  .cell = template_containers_cell,
                                                  .wide = true,
                                                  .description = "Names of the containers."};
inline constexpr Column kTemplateImagesColumn{.name = "Images",
                                              .cell = template_images_cell,
                                              .wide = true,
                                              .description = "Images of the containers."};
inline constexpr Column kLabelSelectorColumn{
    .name = "Selector",
    .cell = label_selector_cell,
    .wide = true,
    .description = "Labels of the Pods that belong to it."};

}  // namespace coracle::api
