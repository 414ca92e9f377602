// SPDX-License-Identifier: GPL-2.0-or-later
// Runs the scripts in tests/golden/kinds: manifest in, defaulted object or errors, table row out.
//
//   # what this case shows            a case ends at an empty line
//   create                            command: its manifest follows, as YAML
//   kind: ConfigMap
//   ----
//   (output; rewritten by running this test with CORACLE_REWRITE=1)
//
// create   the pipeline for a new object; what comes out is kept for the commands that follow
// update   the pipeline for a change of the kept object; kept if it passes
// status   like update, by way of /status
// have     keeps the manifest as it is
// row      the table row of the kept object; `row wide`: with the columns of -o wide
// labels   what field selectors see of the kept object
// warn     what a Warning header says of the kept object
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "api/kind.h"
#include "api/processing.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr std::string_view kNow = "2026-01-02T12:00:00Z";

const Kind* kind_of(json::Node object) {
  const std::string_view version = object["apiVersion"].string();
  const size_t slash = version.find('/');
  const bool core = slash == std::string_view::npos;
  return find_kind_by_name(core ? "" : version.substr(0, slash),
                           core ? version : version.substr(slash + 1), object["kind"].string());
}

std::string describe(const Error& error) {
  std::string text = error.causes.empty() ? error.message + "\n" : "";
  for (const Cause& cause : error.causes)
    text += join({cause.field, ": ", cause.message, "  (", cause.reason, ")\n"});
  return text;
}

// Quotes tell texts from numbers.
std::string cell_text(json::Node cell) {
  return cell.is_string() ? join({"\"", cell.string(), "\""}) : json::write(cell);
}

class Script {
 public:
  std::string run(std::string_view command, const std::string& manifest) {
    if (command == "row") return row(false);
    if (command == "row wide") return row(true);
    if (command == "labels") return labels();
    if (command == "warn") return warnings();
    if (command == "have") return have(manifest);
    if (command == "create" || command == "update" || command == "status")
      return write(command, manifest);
    return "unknown command\n";
  }

 private:
  std::string have(const std::string& manifest) {
    const Result<json::Node> object = kept_.parse_yaml(manifest);
    return object ? std::string() : describe(object.error());
  }

  std::string write(std::string_view command, const std::string& manifest) {
    json::Tree tree;
    const Result<json::Node> parsed = tree.parse_yaml(manifest);
    if (!parsed) return describe(parsed.error());
    const json::Node object = *parsed;
    const Kind* kind = kind_of(object);
    if (kind == nullptr) return "no such kind\n";
    const auto unknown = check_fields(*kind->message, object);
    if (!unknown) return describe(unknown.error());
    std::string out;
    for (const std::string& field : *unknown)
      out += join({"warning: ", field, "\n"});
    const Result<> verdict = judge(command, *kind, object);
    if (!verdict) return out + describe(verdict.error());
    kept_.make_root(object);
    return out + json::write_yaml(object);
  }

  Result<> judge(std::string_view command, const Kind& kind, json::Node object) {
    const json::Node old = command == "create" ? json::Node() : kept_.root();
    if (command == "update" && kind.has_status) object.set("status", old["status"]);
    apply_defaults(kind, object);
    if (kind.prepare != nullptr && command != "status") kind.prepare(object, old);
    if (command == "create") return validate_create(kind, object);
    if (command == "update") return validate_update(kind, object, old);
    return validate_status_update(kind, object, old);
  }

  std::string row(bool wide) {
    const Kind* kind = kind_of(kept_.root());
    if (kind == nullptr) return "no object\n";
    std::string columns_text;
    std::string cells_text;
    json::Writer columns_out(columns_text);
    json::Writer cells_out(cells_text);
    write_table_columns(*kind, columns_out);
    write_table_cells(*kind, kept_.root(), *parse_rfc3339(kNow), cells_out);
    json::Tree columns;
    json::Tree cells;
    if (!columns.parse(columns_text) || !cells.parse(cells_text)) return "not JSON\n";
    std::string out;
    json::Node cell = cells.root().first();
    for (json::Node column : columns.root()) {
      if (wide || column["priority"].integer() == 0)
        out += join({column["name"].string(), ": ", cell_text(cell), "\n"});
      cell = cell.next();
    }
    return out + (cell ? "more cells than columns\n" : "");
  }

  std::string labels() {
    const Kind* kind = kind_of(kept_.root());
    if (kind == nullptr) return "no object\n";
    std::string out;
    for (const SelectableField& selectable : kind->selectable)
      out += join({selectable.label, "=", selectable.value(kept_.root()), "\n"});
    return out;
  }

  std::string warnings() {
    const Kind* kind = kind_of(kept_.root());
    std::string out;
    if (kind != nullptr && kind->warn != nullptr) kind->warn(kept_.root(), out);
    return out + "\n";
  }

  json::Tree kept_;
};

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The script as it stands and as it should stand.
std::string replay(const std::string& text) {
  Script script;
  std::string out;
  std::string comments;
  std::string command;
  std::string manifest;
  enum { kBefore, kInput, kOutput } part = kBefore;
  for (std::string_view line : split(text, '\n')) {
    if (part == kOutput) {
      if (line.empty()) part = kBefore;
    } else if (part == kInput && line == "----") {
      if (!out.empty()) out += "\n";
      out += join({comments, command, "\n", manifest, "----\n", script.run(command, manifest)});
      comments.clear();
      part = kOutput;
    } else if (part == kInput) {
      manifest += join({line, "\n"});
    } else if (line.starts_with('#')) {
      comments += join({line, "\n"});
    } else if (!line.empty()) {
      command = line;
      manifest.clear();
      part = kInput;
    } else if (!comments.empty()) {
      out += join({out.empty() ? "" : "\n", comments});
      comments.clear();
    }
  }
  return out;
}

TEST(KindGolden, EveryScriptSaysWhatHappens) {
  const bool rewrite = std::getenv("CORACLE_REWRITE") != nullptr;
  size_t scripts = 0;
  for (const auto& file : std::filesystem::directory_iterator("tests/golden/kinds")) {
    const std::string before = read(file.path());
    const std::string after = replay(before);
    ++scripts;
    if (rewrite) {
      std::ofstream(file.path()) << after;
    } else {
      EXPECT_EQ(before, after) << file.path();
    }
  }
  EXPECT_GE(scripts, 13u);
}

TEST(KindGolden, EveryKindHasAScript) {
  std::string all;
  for (const auto& file : std::filesystem::directory_iterator("tests/golden/kinds"))
    all += read(file.path());
  for (const Kind* kind : all_kinds())
    EXPECT_NE(all.find(join({"\nkind: ", kind->name, "\n"})), std::string::npos) << kind->name;
}

}  // namespace
}  // namespace coracle::api
