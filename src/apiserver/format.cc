// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/format.h"

#include <algorithm>
#include <vector>

#include "api/processing.h"
#include "base/bytes.h"
#include "json/writer.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kMetaGroup = "meta.k8s.io";

struct Clause {
  std::string_view type;
  std::string_view as;
  std::string_view group;
  std::string_view version;
  double quality = 1;
};

double quality_of(std::string_view text) {
  // Only thousandths matter (RFC 9110); anything unreadable counts as 1.
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 1;
  if (text[0] == '1') return 1;
  double value = 0;
  double unit = 0.1;
  for (size_t at = 2; at < text.size() && at < 5; ++at, unit /= 10) {
    if (text[at] < '0' || text[at] > '9') break;
    value += unit * (text[at] - '0');
  }
  return value;
}

Clause read_clause(std::string_view text) {
  Clause clause;
  bool first = true;
  for (std::string_view part : split(text, ';')) {
    part = trim(part);
    if (first) clause.type = part;
    first = false;
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = part.substr(equals + 1);
    if (name == "as") clause.as = value;
    if (name == "g") clause.group = value;
    if (name == "v") clause.version = value;
    if (name == "q") clause.quality = quality_of(value);
  }
  return clause;
}

std::vector<Clause> read_accept(std::string_view header) {
  std::vector<Clause> clauses;
  if (trim(header).empty()) header = "*/*";
  for (std::string_view text : split(header, ','))
    clauses.push_back(read_clause(text));
  std::stable_sort(clauses.begin(), clauses.end(),
                   [](const Clause& a, const Clause& b) { return a.quality > b.quality; });
  return clauses;
}

bool is_json(std::string_view type) {
  return type == "application/json" || type == "*/*" || type == "application/*";
}

Error refuse() {
  return fail(Code::kNotAcceptable,
              "only the following media types are accepted: application/json");
}

bool read_shape(const Clause& clause, Format& format) {
  if (clause.as.empty()) {
    format = {};
    return true;
  }
  if (clause.group != kMetaGroup) return false;
  if (clause.version != "v1" && clause.version != "v1beta1") return false;
  format.beta = clause.version == "v1beta1";
  if (clause.as == "Table") {
    format.shape = Shape::kTable;
  } else if (clause.as == "PartialObjectMetadata" || clause.as == "PartialObjectMetadataList") {
    format.shape = Shape::kPartial;
  } else {
    return false;
  }
  return true;
}

}  // namespace

Result<Format> negotiate(const Request& request) {
  for (const Clause& clause : read_accept(request.http.header("accept"))) {
    Format format;
    if (!is_json(clause.type) || !read_shape(clause, format)) continue;
    if (format.shape != Shape::kTable) return format;
    const std::string& include = request.options.include_object;
    if (include == "Object") {
      format.include = Include::kObject;
    } else if (include == "None") {
      format.include = Include::kNone;
    } else if (!include.empty() && include != "Metadata") {
      return fail(Code::kBadRequest, "unrecognized includeObject value: " + include);
    }
    return format;
  }
  return refuse();
}

Result<> accept_json(const Request& request) {
  for (const Clause& clause : read_accept(request.http.header("accept"))) {
    if (is_json(clause.type) && clause.as.empty()) return {};
  }
  return refuse();
}

bool accepts_aggregated_discovery(const Request& request) {
  for (const Clause& clause : read_accept(request.http.header("accept"))) {
    if (!is_json(clause.type)) continue;
    if (clause.as.empty()) return false;
    if (clause.as == "APIGroupDiscoveryList" && clause.group == "apidiscovery.k8s.io" &&
        clause.version == "v2") {
      return true;
    }
  }
  return false;
}

std::string_view metadata_text(std::string_view text) {
  constexpr std::string_view kMark = "\"metadata\":{";
  const size_t found = text.find(kMark);
  if (found == std::string_view::npos) return "{}";
  const size_t begin = found + kMark.size() - 1;
  size_t depth = 0;
  bool quoted = false;
  for (size_t at = begin; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return text.substr(begin, at + 1 - begin);
    }
  }
  return "{}";
}

namespace {

void append_text(std::string& out, std::string_view text, uint64_t version) {
  if (version == 0) {
    out.append(text);
  } else {
    api::splice_version(out, text, version);
  }
}

void append_twin(std::string& out, const View& view) {
  json::Tree tree;
  const Result<json::Node> object = tree.parse(view.text);
  if (!object) return out.append("null"), void();
  view.kind->from_stored(*object);
  append_text(out, api::normal_text(*view.kind, *object), view.version);
}

// Versions of a custom resource differ by their name only.
void append_as(std::string& out, const View& view) {
  constexpr std::string_view kMark = "\"apiVersion\":\"";
  const size_t mark = view.text.find(kMark);
  const size_t begin = mark == std::string_view::npos ? 0 : mark + kMark.size();
  const size_t end = view.text.find('"', begin);
  const std::string version = api::group_version(*view.kind);
  std::string text;
  std::string_view shown = view.text;
  if (begin > 0 && end != std::string_view::npos &&
      view.text.substr(begin, end - begin) != version) {
    text = join({view.text.substr(0, begin), version, view.text.substr(end)});
    shown = text;
  }
  append_text(out, shown, view.version);
}

}  // namespace

void append_object(std::string& out, const View& view) {
  if (view.kind != nullptr && view.kind->is_custom) return append_as(out, view);
  if (view.kind != nullptr && view.kind->stored_as != nullptr) return append_twin(out, view);
  append_text(out, view.text, view.version);
}

void append_partial(std::string& out, const View& view, bool beta) {
  const std::string text =
      join({"{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"", meta_version(beta),
            "\",\"metadata\":", metadata_text(view.text), "}"});
  append_object(out, {nullptr, text, view.version});  // of meta.k8s.io, whatever the kind
}

void append_row(std::string& out, const View& view, Format format, Wall now) {
  json::Tree tree;
  const Result<json::Node> parsed = tree.parse(view.text);
  const json::Node object = parsed ? *parsed : json::Node();
  out.append("{\"cells\":");
  json::Writer writer(out);
  api::write_table_cells(*view.kind, object, now, writer);
  if (format.include == Include::kObject) {
    out.append(",\"object\":");
    append_object(out, view);
  } else if (format.include == Include::kMetadata) {
    out.append(",\"object\":");
    append_partial(out, view, format.beta);
  }
  out.push_back('}');
}

void append_table_head(std::string& out, const TableHead& head) {
  out += join({"{\"kind\":\"Table\",\"apiVersion\":\"", meta_version(head.beta), "\","});
  if (!head.metadata.empty()) out += join({"\"metadata\":", head.metadata, ","});
  out += "\"columnDefinitions\":";
  if (head.columns) {
    json::Writer writer(out);
    api::write_table_columns(*head.kind, writer);
  } else {
    out += "null";
  }
  out += ",\"rows\":[";
}

std::string list_metadata(uint64_t version) {
  if (version == 0) return "{}";
  return join({"{\"resourceVersion\":\"", std::to_string(version), "\"}"});
}

std::string_view meta_version(bool beta) {
  return beta ? "meta.k8s.io/v1beta1" : "meta.k8s.io/v1";
}

void append_formatted(std::string& out, const View& view, Format format, Wall now, bool columns) {
  switch (format.shape) {
    case Shape::kObject:
      return append_object(out, view);
    case Shape::kPartial:
      return append_partial(out, view, format.beta);
    case Shape::kTable:
      append_table_head(out, {view.kind, format.beta, list_metadata(view.version), columns});
      append_row(out, view, format, now);
      out.append("]}");
      return;
  }
}

}  // namespace coracle::apiserver
