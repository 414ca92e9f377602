// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/limit_ranger.h"

#include "api/quantity.h"
#include "api/quota.h"
#include "apiserver/admission.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

using Problems = std::vector<std::string>;

template <class F>
void each_limit(Parts& parts, const Request& request, std::string_view type, F&& f) {
  api::for_each(parts.store, api::kLimitRange, request.ns, [&](const api::ObjectRef& object) {
    json::Tree tree;
    for (const json::Node limit : object->parse(tree)["spec"]["limits"]) {
      if (limit["type"].string() == type) f(limit);
    }
  });
}

void fill(json::Node container, std::string_view kind, json::Node defaults) {
  for (const json::Node amount : defaults) {
    const json::Node given = container.object("resources").object(kind);
    if (!given[amount.key()]) given.set(amount.key(), amount);
  }
}

// A limit without a request stands for both, as core/v1 defaults have it.
void align(json::Node container) {
  const json::Node resources = container["resources"];
  for (const json::Node limit : resources["limits"]) {
    if (!resources["requests"][limit.key()]) resources.object("requests").set(limit.key(), limit);
  }
}

std::string text_of(json::Node amount) {
  return amount.is_string() ? std::string(amount.string()) : json::write(amount);
}

bool comparable(std::string_view a, std::string_view b) {
  return api::canonical_quantity(a) && api::canonical_quantity(b);
}

void check_least(json::Node least, json::Node given, std::string_view type, Problems& problems) {
  for (const json::Node bound : least) {
    const std::string_view name = bound.key();
    const std::string wanted = text_of(bound);
    const std::string has = given[name] ? text_of(given[name]) : std::string();
    const std::string begin = join({"minimum ", name, " usage per ", type, " is ", wanted});
    if (has.empty()) {
      problems.push_back(begin + ".  No request is specified");
    } else if (comparable(has, wanted) && api::compare_quantities(has, wanted) < 0) {
      problems.push_back(join({begin, ", but request is ", has}));
    }
  }
}

void check_most(json::Node most,
                json::Node given,
                std::string_view type,
                std::string_view what,
                Problems& problems) {
  for (const json::Node bound : most) {
    const std::string_view name = bound.key();
    const std::string wanted = text_of(bound);
    const std::string has = given[name] ? text_of(given[name]) : std::string();
    const std::string begin = join({"maximum ", name, " usage per ", type, " is ", wanted});
    if (has.empty()) {
      problems.push_back(join({begin, ".  No ", what, " is specified"}));
    } else if (comparable(has, wanted) && api::compare_quantities(has, wanted) > 0) {
      problems.push_back(join({begin, ", but ", what, " is ", has}));
    }
  }
}

void check_ratio(json::Node ratios, json::Node resources, Problems& problems) {
  for (const json::Node bound : ratios) {
    const std::string_view name = bound.key();
    const auto request = api::quantity_millis(resources["requests"][name].string("0"));
    const auto limit = api::quantity_millis(resources["limits"][name].string("0"));
    const auto most = api::quantity_millis(text_of(bound));
    if (!request || !limit || !most || *request == 0) continue;
    const double ratio = static_cast<double>(*limit) / static_cast<double>(*request);
    if (ratio * 1000 > static_cast<double>(*most))
      problems.push_back(join({name, " max limit to request ratio per Container is ",
                               text_of(bound), ", but provided ratio is ", std::to_string(ratio)}));
  }
}

// What all containers of a Pod ask for together, as millis of each resource of `names`.
json::Node total(json::Node spec, std::string_view kind, json::Node names, json::Tree& tree) {
  const json::Node sums = tree.detached_object();
  for (const json::Node name : names) {
    int64_t sum = 0;
    bool any = false;
    for (const json::Node container : spec["containers"]) {
      const json::Node amount = container["resources"][kind][name.key()];
      if (!amount) continue;
      any = true;
      sum += api::quantity_millis(text_of(amount)).value_or(0);
    }
    if (any) sums.set(name.key(), api::quota_quantity(name.key(), sum));
  }
  return sums;
}

Result<> outcome(const Request& request, const Problems& problems) {
  if (problems.empty()) return {};
  if (problems.size() == 1) return forbidden(request, problems.front());
  std::string all;
  for (const std::string& problem : problems)
    all += join({all.empty() ? "[" : ", ", problem});
  return forbidden(request, all + "]");
}

}  // namespace

Result<> admit_limits(Parts& parts, Request& request) {
  const json::Node spec = request.object["spec"];
  if (!request.creating() || !spec.is_object()) return {};
  Problems problems;
  each_limit(parts, request, "Container", [&](json::Node limit) {
    for (std::string_view list : {"initContainers", "containers"}) {
      for (const json::Node container : spec[list]) {
        if (!container.is_object()) continue;
        align(container);
        fill(container, "limits", limit["default"]);
        fill(container, "requests", limit["defaultRequest"]);
        const json::Node resources = container["resources"];
        check_least(limit["min"], resources["requests"], "Container", problems);
        check_most(limit["max"], resources["limits"], "Container", "limit", problems);
        check_ratio(limit["maxLimitRequestRatio"], resources, problems);
      }
    }
  });
  each_limit(parts, request, "Pod", [&](json::Node limit) {
    json::Tree tree;
    check_least(limit["min"], total(spec, "requests", limit["min"], tree), "Pod", problems);
    check_most(limit["max"], total(spec, "limits", limit["max"], tree), "Pod", "limit", problems);
  });
  return outcome(request, problems);
}

Result<> admit_claim_limits(Parts& parts, Request& request) {
  const json::Node requests = request.object["spec"]["resources"]["requests"];
  Problems problems;
  each_limit(parts, request, "PersistentVolumeClaim", [&](json::Node limit) {
    check_least(limit["min"], requests, "PersistentVolumeClaim", problems);
    check_most(limit["max"], requests, "PersistentVolumeClaim", "request", problems);
  });
  return outcome(request, problems);
}

Result<> admit_storage_class(Parts& parts, Request& request) {
  const json::Node spec = request.object["spec"];
  constexpr std::string_view kOld = "volume.beta.kubernetes.io/storage-class";
  if (!spec.is_object() || spec["storageClassName"] ||
      request.object["metadata"]["annotations"][kOld]) {
    return {};
  }
  // Of several defaults the newest counts.
  std::string chosen;
  std::string newest;
  api::for_each(parts.store, api::kStorageClass, {}, [&](const api::ObjectRef& object) {
    json::Tree tree;
    const json::Node metadata = object->parse(tree)["metadata"];
    const json::Node notes = metadata["annotations"];
    if (notes["storageclass.kubernetes.io/is-default-class"].string() != "true") return;
    const std::string_view made = metadata["creationTimestamp"].string();
    if (!chosen.empty() && made <= newest) return;
    newest = made;
    chosen = object->name();
  });
  if (!chosen.empty()) spec.set("storageClassName", std::string_view(chosen));
  return {};
}

}  // namespace coracle::apiserver
