// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr Field kLimitRangeItemFields[] = {
    text("type", 1).required().about("Container, Pod or PersistentVolumeClaim."),
    map_of("max", 2, Type::kQuantity).about("Most that may be asked for."),
    map_of("min", 3, Type::kQuantity).about("Least that must be asked for."),
    map_of("default", 4, Type::kQuantity).about("Limits of containers that set none."),
    map_of("defaultRequest", 5, Type::kQuantity).about("Requests of containers that set none."),
    map_of("maxLimitRequestRatio", 6, Type::kQuantity)
        .about("How many times a limit may exceed the request."),
};
constexpr Message kLimitRangeItem{"io.k8s.api.core.v1.LimitRangeItem", kLimitRangeItemFields};

constexpr Field kLimitRangeSpecFields[] = {
    list("limits", 1, kLimitRangeItem).listed().about("The limits, at most one of a type."),
};
constexpr Message kLimitRangeSpec{"io.k8s.api.core.v1.LimitRangeSpec", kLimitRangeSpecFields};

constexpr Field kLimitRangeFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kLimitRangeSpec).about("The limits."),
};
constexpr Message kLimitRangeMessage{
    "io.k8s.api.core.v1.LimitRange", kLimitRangeFields,
    "LimitRange bounds what one Pod, container or claim of a namespace may ask for."};

constexpr Column kColumns[] = {
    {.name = "Created At", .cell = text_at<"metadata.creationTimestamp">, .type = "date"},
};

void copy_missing(json::Node into, json::Node from) {
  for (const json::Node amount : from) {
    if (!into[amount.key()]) into.set(amount.key(), amount);
  }
}

// core/v1 SetDefaults_LimitRangeItem
void fill_defaults(json::Node range) {
  for (const json::Node limit : range["spec"]["limits"]) {
    if (limit["type"].string() != "Container") continue;
    if (limit["max"]) copy_missing(limit.object("default"), limit["max"]);
    if (limit["default"]) copy_missing(limit.object("defaultRequest"), limit["default"]);
    if (limit["min"]) copy_missing(limit.object("defaultRequest"), limit["min"]);
  }
}

struct Pair {
  std::string_view less;
  std::string_view less_name;
  std::string_view more;
  std::string_view more_name;
};
constexpr Pair kPairs[] = {
    {"min", "min", "max", "max"},
    {"min", "min", "defaultRequest", "default request"},
    {"min", "min", "default", "default"},
    {"defaultRequest", "default request", "max", "max"},
    {"defaultRequest", "default request", "default", "default"},
    {"default", "default", "max", "max"},
};

void check_order(json::Node limit, std::string_view path, Errors& errors) {
  for (const Pair& pair : kPairs) {
    for (const json::Node low : limit[pair.less]) {
      const json::Node high = limit[pair.more][low.key()];
      const bool readable =
          high && canonical_quantity(low.string()) && canonical_quantity(high.string());
      if (!readable || compare_quantities(low.string(), high.string()) <= 0) continue;
      errors.invalid(entry(field(path, pair.less), low.key()), low,
                     join({pair.less_name, " value ", low.string(), " is greater than ",
                           pair.more_name, " value ", high.string()}));
    }
  }
}

void validate(json::Node range, Errors& errors) {
  size_t index = 0;
  std::string seen;
  for (const json::Node limit : range["spec"]["limits"]) {
    const std::string path = item("spec.limits", index++);
    const json::Node type = limit["type"];
    if (is_one_of(type.string(), seen)) errors.duplicate(field(path, "type"), type);
    seen.append("|").append(type.string());
    if (type.string() == "Pod") {
      for (std::string_view name : {"default", "defaultRequest"}) {
        if (limit[name].size() > 0)
          errors.forbidden(field(path, name), "may not be specified when `type` is 'Pod'");
      }
    }
    if (type.string() == "PersistentVolumeClaim" && !limit["min"]["storage"] &&
        !limit["max"]["storage"])
      errors.required(field(path, "limits"),
                      "either minimum or maximum storage value is required, "
                      "but neither was provided");
    check_order(limit, path, errors);
  }
}

}  // namespace

constinit const Kind kLimitRange{.group = "",
                                 .version = "v1",
                                 .name = "LimitRange",
                                 .plural = "limitranges",
                                 .singular = "limitrange",
                                 .short_names = "limits",
                                 .message = &kLimitRangeMessage,
                                 .columns = kColumns,
                                 .allow_create_on_update = true,
                                 .fill_defaults = fill_defaults,
                                 .validate = validate};

}  // namespace coracle::api
