// SPDX-License-Identifier: GPL-2.0-or-later
// metav1.Table: columns and cells, as `kubectl get` prints them.
#include "api/processing.h"

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

// Events put their name last: such a kind declares the column itself.
bool declares_name(const Kind& kind) {
  for (const Column& column : kind.columns) {
    if (column.format == kNameColumn.format) return true;
  }
  return false;
}

}  // namespace

void write_table_columns(const Kind& kind, json::Writer& out) {
  out.begin_array();
  if (!declares_name(kind)) write_column(out, kNameColumn);
  for (const Column& column : kind.columns)
    write_column(out, column);
  out.end_array();
}

void write_table_cells(const Kind& kind, json::Node object, Wall now, json::Writer& out) {
  out.begin_array();
  if (!declares_name(kind)) kNameColumn.cell(object, now, out);
  for (const Column& column : kind.columns)
    column.cell(object, now, out);
  out.end_array();
}

}  // namespace coracle::api
