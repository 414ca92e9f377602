// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
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
// Of both groups.
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
    {"involvedObject.kind", label_at<"involvedObject.kind">},
    {"involvedObject.namespace", label_at<"involvedObject.namespace">},
    {"involvedObject.name", label_at<"involvedObject.name">},
    {"involvedObject.uid", label_at<"involvedObject.uid">},
    {"involvedObject.apiVersion", label_at<"involvedObject.apiVersion">},
    {"involvedObject.resourceVersion", label_at<"involvedObject.resourceVersion">},
    {"involvedObject.fieldPath", label_at<"involvedObject.fieldPath">},
    {"reason", label_at<"reason">},
    {"reportingComponent", label_at<"reportingComponent">},
    {"source",
     [](json::Node e) {
       return std::string(e["source"]["component"].string(e["reportingComponent"].string()));
     }},
    {"type", label_at<"type">},
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

// --- events.k8s.io: the same objects in other words (kubernetes pkg/apis/events/v1/conversion.go)

constexpr Field kSeriesFields[] = {
    int32("count", 1).listed().or_zero().about("How many times the Event occurred so far."),
    micro_time("lastObservedTime", 2).listed().about("When it was last observed."),
};
constexpr Message kSeries{"io.k8s.api.events.v1.EventSeries", kSeriesFields,
                          "EventSeries counts equal Events."};

constexpr Field kEventsEventFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    micro_time("eventTime", 2).listed().about("When the Event was first observed."),
    object("series", 3, kSeries).about("The series that it belongs to, if it is repeated."),
    text("reportingController", 4).about("Name of the controller that emitted the Event."),
    text("reportingInstance", 5).about("Which instance of that controller it was."),
    text("action", 6).about("What was done or failed with regard to the object."),
    text("reason", 7).about("Short machine-readable reason, in CamelCase."),
    object("regarding", 8, kObjectReference).about("The object that this Event is about."),
    object("related", 9, kObjectReference).about("A second object that took part."),
    text("note", 10).about("What happened, for people."),
    text("type", 11).about("Normal or Warning."),
    object("deprecatedSource", 12, kEventSource),
    time("deprecatedFirstTimestamp", 13),
    time("deprecatedLastTimestamp", 14),
    int32("deprecatedCount", 15).or_zero(),
};
constexpr Message kEventsEventMessage{"io.k8s.api.events.v1.Event", kEventsEventFields,
                                      "Event reports that something happened to an object."};

struct Rename {
  std::string_view core;
  std::string_view events;
};
constexpr Rename kRenames[] = {
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
    {"reportingComponent", "reportingController"},
};

void rename(json::Node object, std::string_view from, std::string_view to) {
  const json::Node value = object[from];
  if (!value) return;
  object.set(to, value);
  object.remove(from);
}

void to_core(json::Node event, json::Node) {
  event.set("apiVersion", "v1");
  for (const Rename& each : kRenames)
    rename(event, each.events, each.core);
}

void from_core(json::Node event) {
  event.set("apiVersion", "events.k8s.io/v1");
  for (const Rename& each : kRenames)
    rename(event, each.core, each.events);
}

// kubernetes pkg/apis/core/validation/events.go: stricter than the same event in core.
void validate_new(json::Node event, Errors& errors) {
  if (event["eventTime"].string().empty()) errors.required("eventTime");
  if (!is_one_of(event["type"].string(), "Normal|Warning"))
    errors.invalid("type", event["type"].string(), "has invalid value: ");
  for (std::string_view name : {"firstTimestamp", "lastTimestamp", "count"}) {
    if (event[name]) errors.invalid(name, event[name], "needs to be unset");
  }
  if (event["source"]["component"] || event["source"]["host"])
    errors.invalid("source", event["source"], "needs to be unset");
}

constexpr SelectableField kEventsSelectable[] = {
    {"regarding.kind", label_at<"involvedObject.kind">},
    {"regarding.namespace", label_at<"involvedObject.namespace">},
    {"regarding.name", label_at<"involvedObject.name">},
    {"regarding.uid", label_at<"involvedObject.uid">},
    {"regarding.apiVersion", label_at<"involvedObject.apiVersion">},
    {"regarding.resourceVersion", label_at<"involvedObject.resourceVersion">},
    {"regarding.fieldPath", label_at<"involvedObject.fieldPath">},
    {"reason", label_at<"reason">},
    {"reportingController", label_at<"reportingComponent">},
    {"type", label_at<"type">},
};

}  // namespace

constinit const Kind kEventsEvent{.group = "events.k8s.io",
                                  .version = "v1",
                                  .name = "Event",
                                  .plural = "events",
                                  .singular = "event",
                                  .short_names = "ev",
                                  .message = &kEventsEventMessage,
                                  .selectable = kEventsSelectable,
                                  .validate = validate_new,
                                  .stored_as = &kEvent,
                                  .to_stored = to_core,
                                  .from_stored = from_core};

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
