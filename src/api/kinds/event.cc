// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/meta.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kEventSeriesFields[] = {
    int32("count", 1).or_zero().about("How many times the Event occurred so far."),
    micro_time("lastObservedTime", 2).about("When it was last observed."),
};
constexpr Message kEventSeries{"io.k8s.api.core.v1.EventSeries", kEventSeriesFields,
                               "EventSeries counts equal Events."};

constexpr Field kEventSourceFields[] = {
    text("component", 1).about("Component that reported the Event."),
    text("host", 2).about("Node that it runs on."),
};
constexpr Message kEventSource{"io.k8s.api.core.v1.EventSource", kEventSourceFields,
                               "EventSource tells where an Event comes from."};

constexpr Field kEventFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField.listed(),
    object("involvedObject", 2, kObjectReference)
        .listed()
        .about("The object that this Event is about."),
    text("reason", 3).about("Short machine-readable reason, in CamelCase."),
    text("message", 4).about("What happened, for people."),
    object("source", 5, kEventSource).about("Component and host that reported it."),
    time("firstTimestamp", 6).about("When it was first seen."),
    time("lastTimestamp", 7).about("When it was last seen."),
    int32("count", 8).or_zero().about("How many times it was seen."),
    text("type", 9).about("Normal or Warning."),
    micro_time("eventTime", 10).about("When the Event was first observed, with microseconds."),
    object("series", 11, kEventSeries)
        .about("The series that this Event belongs to, if it is repeated."),
    text("action", 12).about("What was done or failed with regard to the object."),
    object("related", 13, kObjectReference).about("A second object that took part."),
    text("reportingComponent", 14)
        .otherwise("\"\"")
        .about("Name of the controller that emitted the Event."),
    text("reportingInstance", 15)
        .otherwise("\"\"")
        .about("Which instance of that controller it was."),
};
constexpr Message kEventMessage{
    "io.k8s.api.core.v1.Event", kEventFields,
    "Event reports that something happened to an object, for people to read."};

json::Node first_seen(json::Node event) {
  return event["firstTimestamp"] ? event["firstTimestamp"] : event["eventTime"];
}

void last_seen_cell(json::Node event, Wall now, json::Writer& out) {
  const json::Node last = event["series"]          ? event["series"]["lastObservedTime"]
                          : event["lastTimestamp"] ? event["lastTimestamp"]
                                                   : first_seen(event);
  out.value(time_since(last, now));
}

void first_seen_cell(json::Node event, Wall now, json::Writer& out) {
  out.value(time_since(first_seen(event), now));
}

void count_cell(json::Node event, Wall, json::Writer& out) {
  if (event["series"]) return out.value(event["series"]["count"].integer());
  const int64_t count = event["count"].integer();
  out.value(count == 0 ? int64_t{1} : count);
}

void type_cell(json::Node event, Wall, json::Writer& out) {
  out.value(event["type"].string());
}

void reason_cell(json::Node event, Wall, json::Writer& out) {
  out.value(event["reason"].string());
}

void name_cell(json::Node event, Wall, json::Writer& out) {
  out.value(event["metadata"]["name"].string());
}

void object_cell(json::Node event, Wall, json::Writer& out) {
  std::string text(event["involvedObject"]["kind"].string());
  for (char& c : text)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const std::string_view name = event["involvedObject"]["name"].string();
  if (!name.empty()) text.append("/").append(name);
  out.value(text);
}

void subobject_cell(json::Node event, Wall, json::Writer& out) {
  out.value(event["involvedObject"]["fieldPath"].string());
}

void source_cell(json::Node event, Wall, json::Writer& out) {
  const json::Node source = event["source"];
  std::string text(source["component"].string(event["reportingComponent"].string()));
  const std::string_view host = source["host"].string(event["reportingInstance"].string());
  if (!host.empty()) text.append(", ").append(host);
  out.value(text);
}

void message_cell(json::Node event, Wall, json::Writer& out) {
  out.value(trim(event["message"].string()));
}

constexpr Column kColumns[] = {
    {.name = "Last Seen", .cell = last_seen_cell, .description = "When it was last seen."},
    {.name = "Type", .cell = type_cell, .description = "Normal or Warning."},
    {.name = "Reason", .cell = reason_cell, .description = "Short machine-readable reason."},
    {.name = "Object", .cell = object_cell, .description = "What the Event is about."},
    {.name = "Subobject", .cell = subobject_cell, .wide = true, .description = "Which part."},
    {.name = "Source", .cell = source_cell, .wide = true, .description = "Who reported it."},
    {.name = "Message", .cell = message_cell, .description = "What happened."},
    {.name = "First Seen", .cell = first_seen_cell, .wide = true, .description = "When first."},
    {.name = "Count",
     .cell = count_cell,
     .type = "integer",
     .wide = true,
     .description = "How many times it was seen."},
    {.name = "Name",
     .cell = name_cell,
     .format = "name",
     .wide = true,
     .description = "Name of the Event."},
};

constexpr SelectableField kSelectable[] = {
    {"involvedObject.kind",
     [](json::Node e) { return std::string(e["involvedObject"]["kind"].string()); }},
    {"involvedObject.namespace",
     [](json::Node e) { return std::string(e["involvedObject"]["namespace"].string()); }},
    {"involvedObject.name",
     [](json::Node e) { return std::string(e["involvedObject"]["name"].string()); }},
    {"involvedObject.uid",
     [](json::Node e) { return std::string(e["involvedObject"]["uid"].string()); }},
    {"involvedObject.apiVersion",
     [](json::Node e) { return std::string(e["involvedObject"]["apiVersion"].string()); }},
    {"involvedObject.resourceVersion",
     [](json::Node e) { return std::string(e["involvedObject"]["resourceVersion"].string()); }},
    {"involvedObject.fieldPath",
     [](json::Node e) { return std::string(e["involvedObject"]["fieldPath"].string()); }},
    {"reason", [](json::Node e) { return std::string(e["reason"].string()); }},
    {"reportingComponent",
     [](json::Node e) { return std::string(e["reportingComponent"].string()); }},
    {"source",
     [](json::Node e) {
       return std::string(e["source"]["component"].string(e["reportingComponent"].string()));
     }},
    {"type", [](json::Node e) { return std::string(e["type"].string()); }},
};

// Events about cluster-wide objects live in "default"; those with an eventTime also in kube-system.
void check_namespace(json::Node event, Errors& errors) {
  const std::string_view own = event["metadata"]["namespace"].string();
  const std::string_view involved = event["involvedObject"]["namespace"].string();
  const bool modern = !event["eventTime"].string().empty();
  const bool agrees = !involved.empty()
                          ? modern || own == involved
                          : own.empty() || own == "default" || (modern && own == "kube-system");
  if (!agrees)
    errors.invalid("involvedObject.namespace", involved, "does not match event.namespace");
}

void check_reporter(
    json::Node event, std::string_view name, std::string_view path, size_t most, Errors& errors) {
  const std::string_view value = event[name].string();
  if (value.empty()) errors.required(path);
  if (value.size() > most)
    errors.invalid(path, value, join({"can have at most ", std::to_string(most), " characters"}));
}

void validate(json::Node event, Errors& errors) {
  check_namespace(event, errors);
  if (event["eventTime"].string().empty()) return;
  check_reporter(event, "reportingComponent", "reportingController", 253, errors);
  check_reporter(event, "reportingInstance", "reportingInstance", 128, errors);
  check_reporter(event, "action", "action", 128, errors);
  check_reporter(event, "reason", "reason", 128, errors);
  if (event["message"].string().size() > 1024)
    errors.invalid("message", event["message"], "can have at most 1024 characters");
}

}  // namespace

constinit const Kind kEvent{.group = "",
                            .version = "v1",
                            .name = "Event",
                            .plural = "events",
                            .singular = "event",
                            .short_names = "ev",
                            .message = &kEventMessage,
                            .columns = kColumns,
                            .selectable = kSelectable,
                            .write_class = WriteClass::kLazy,
                            .allow_create_on_update = true,
                            .validate = validate};

}  // namespace coracle::api
