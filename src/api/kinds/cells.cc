// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kinds/cells.h"

#include <map>

#include "api/selector.h"

namespace coracle::api {
namespace {

std::string joined_members(json::Node list, std::string_view member) {
  std::string text;
  for (json::Node entry : list)
    add_listed(text, entry[member].string());
  return text;
}

}  // namespace

json::Node at_path(json::Node object, std::string_view path) {
  while (!path.empty() && object) {
    const size_t dot = path.find('.');
    object = object[path.substr(0, dot)];
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  return object;
}

std::string time_since(json::Node time, Wall now) {
  const std::optional<Wall> at = parse_rfc3339(time.string());
  return at ? human_duration(now - *at) : "<unknown>";
}

std::string labels_text(json::Node map) {
  std::map<std::string_view, std::string_view> sorted;
  for (json::Node label : map)
    sorted[label.key()] = label.string();
  if (sorted.empty()) return "<none>";
  std::string text;
  for (const auto& [key, value] : sorted) {
    add_listed(text, key);
    text.append("=").append(value);
  }
  return text;
}

std::string shown_and_more(std::string_view shown, size_t count, size_t most) {
  std::string text(shown);
  if (count > most) text.append(" + ").append(std::to_string(count - most)).append(" more...");
  return text;
}

void add_listed(std::string& list, std::string_view item) {
  if (!list.empty()) list.push_back(',');
  list.append(item);
}

void age_cell(json::Node object, Wall now, json::Writer& out) {
  out.value(time_since(object["metadata"]["creationTimestamp"], now));
}

void template_containers_cell(json::Node object, Wall, json::Writer& out) {
  out.value(joined_members(object["spec"]["template"]["spec"]["containers"], "name"));
}

void template_images_cell(json::Node object, Wall, json::Writer& out) {
  out.value(joined_members(object["spec"]["template"]["spec"]["containers"], "image"));
}

void label_selector_cell(json::Node object, Wall, json::Writer& out) {
  const json::Node selector = object["spec"]["selector"];
  if (!selector) return out.value("<none>");
  const std::string text = LabelSelector::from_object(selector).text();
  out.value(text.empty() ? std::string("<none>") : text);
}

}  // namespace coracle::api
