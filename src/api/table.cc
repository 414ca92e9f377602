// SPDX-License-Identifier: GPL-2.0-or-later
// metav1.Table: columns and cells, as `kubectl get` prints them.
#include "api/custom_kinds.h"
#include "api/processing.h"
#include "api/structural.h"

namespace coracle::api {
namespace {

void write_column(json::Writer& out, const Column& column) {
  out.begin_object();
  out.member("name", column.name);
  out.member("type", column.type);
  out.member("format", column.format);
  out.member("description", column.description);
  out.member("priority", column.wide ? 1 : 0);
  out.end_object();
}

void write_name(json::Node object, Wall, json::Writer& out) {
  out.value(object["metadata"]["name"].string());
}

constexpr Column kNameColumn{
    .name = "Name",
    .cell = write_name,
    .format = "name",
    .description = "Name, unique among the objects of this kind in the namespace.",
};

void write_time(json::Node time, Wall now, json::Writer& out) {
  const std::optional<Wall> at = parse_rfc3339(time.string());
  out.value(at ? human_duration(now - *at) : std::string("<unknown>"));
}

void write_age(json::Node object, Wall now, json::Writer& out) {
  write_time(object["metadata"]["creationTimestamp"], now, out);
}

constexpr Column kAge{.name = "Age",
                      .cell = write_age,
                      .type = "date",
                      .description = "Time since the object was created."};

// apiextensions-apiserver pkg/registry/customresource/tableconvertor
void write_custom(const CustomColumn& column, json::Node object, Wall now, json::Writer& out) {
  const json::Node value = at_json_path(object, column.path);
  if (!value || value.is_null()) return out.raw("null");
  if (column.type == "date") return write_time(value, now, out);
  if (column.type == "string" && !value.is_string()) return out.value(json::write(value));
  out.raw(json::write(value));
}

// Events put their name last: such a kind declares the column itself.
bool declares_name(const Kind& kind) {
  for (const Column& column : stored_kind(kind).columns) {
    if (column.format == kNameColumn.format) return true;
  }
  return false;
}

}  // namespace

void write_table_columns(const Kind& kind, json::Writer& out) {
  out.begin_array();
  if (const CustomKind* own = custom(kind); own != nullptr) {
    write_column(out, kNameColumn);
    for (const CustomColumn& column : own->own_columns)
      write_column(
          out, {column.name, nullptr, column.type, column.format, column.wide, column.description});
    if (own->own_columns.empty()) write_column(out, kAge);
    return out.end_array();
  }
  if (!declares_name(kind)) write_column(out, kNameColumn);
  for (const Column& column : stored_kind(kind).columns)
    write_column(out, column);
  out.end_array();
}

void write_table_cells(const Kind& kind, json::Node object, Wall now, json::Writer& out) {
  out.begin_array();
  if (const CustomKind* own = custom(kind); own != nullptr) {
    write_name(object, now, out);
    for (const CustomColumn& column : own->own_columns)
      write_custom(column, object, now, out);
    if (own->own_columns.empty()) write_age(object, now, out);
    return out.end_array();
  }
  if (!declares_name(kind)) kNameColumn.cell(object, now, out);
  for (const Column& column : stored_kind(kind).columns)
    column.cell(object, now, out);
  out.end_array();
}

}  // namespace coracle::api
