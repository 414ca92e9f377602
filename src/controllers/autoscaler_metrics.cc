// SPDX-License-Identifier: GPL-2.0-or-later
// How many pods one metric asks for (upstream pkg/controller/podautoscaler/replica_calculator.go).
#include <algorithm>
#include <cmath>
#include <map>

#include "api/quantity.h"
#include "base/bytes.h"
#include "controllers/autoscaler.h"

namespace coracle::controllers {

namespace {

constexpr Duration kCpuInitialization = minutes(5);
constexpr Duration kInitialReadiness = seconds(30);
constexpr double kTolerance = 0.1;

// One resource metric over the pods of one target. Amounts are thousandths of a unit.
class ResourceMetric {
 public:
  ResourceMetric(const Now& now, json::Node spec, json::Node source, int64_t current)
      : now_(now),
        spec_(spec),
        source_(source),
        resource_(source["name"].string()),
        container_(source["container"].string()),
        current_(current) {}

  // False: problem() says why.
  bool read(const std::vector<Parsed>& pods);
  int64_t replicas() const;
  double ratio() const { return ratio_of(usage_); }
  bool is_utilization() const { return bool{source_["target"]["averageUtilization"]}; }
  void write_status(json::Node current) const;
  const std::string& problem() const { return problem_; }

 private:
  using ByPod = std::map<std::string_view, int64_t>;

  bool read_request(const Parsed& pod);
  std::optional<int64_t> usage_of(const PodUsage& usage) const;
  bool is_unready(const Parsed& pod, const PodUsage& usage) const;
  double ratio_of(const ByPod& usage) const;
  bool is_tolerated(double ratio) const;
  void assume(ByPod& usage, double first_ratio) const;
  int64_t target_average() const {
    return api::quantity_millis(source_["target"]["averageValue"].string()).value_or(0);
  }

  const Now& now_;
  json::Node spec_;
  json::Node source_;
  std::string_view resource_;
  std::string_view container_;
  int64_t current_;
  std::string problem_;
  ByPod usage_;     // of pods that are ready
  ByPod requests_;  // of all
  std::vector<std::string_view> unready_;
  std::vector<std::string_view> missing_;
};

bool ResourceMetric::read(const std::vector<Parsed>& pods) {
  if (now_.metrics == nullptr) {
    problem_ =
        "unable to fetch metrics from resource metrics API: the server could not find the "
        "requested resource (get pods.metrics.k8s.io)";
    return false;
  }
  for (const Parsed& pod : pods) {
    if (pod.ref->deleting() || pod.node["status"]["phase"].string() == "Failed") continue;
    if (is_utilization() && !read_request(pod)) return false;
    const PodUsage* known = now_.metrics->of(pod.ref->ns(), pod.ref->name());
    if (pod.node["status"]["phase"].string() == "Pending") {
      unready_.push_back(pod.ref->name());
      continue;
    }
    const std::optional<int64_t> used = known == nullptr ? std::nullopt : usage_of(*known);
    if (!used)
      missing_.push_back(pod.ref->name());
    else if (resource_ == "cpu" && is_unready(pod, *known))
      unready_.push_back(pod.ref->name());
    else
      usage_[pod.ref->name()] = *used;
  }
  if (usage_.empty()) {
    problem_ = missing_.empty() && unready_.empty()
                   ? join({"unable to fetch metrics from resource metrics API: no metrics "
                           "returned from resource metrics API"})
                   : std::string(
                         "did not receive metrics for targeted pods (pods might be "
                         "unready)");
  }
  return problem_.empty();
}

bool ResourceMetric::read_request(const Parsed& pod) {
  int64_t sum = 0;
  for (const json::Node container : pod.node["spec"]["containers"]) {
    const std::string_view name = container["name"].string();
    if (!container_.empty() && name != container_) continue;
    const json::Node request = container["resources"]["requests"][resource_];
    if (!request) {
      problem_ = join(
          {"missing request for ", resource_, " in container ", name, " of Pod ", pod.ref->name()});
      return false;
    }
    sum += api::quantity_millis(request.string()).value_or(0);
  }
  requests_[pod.ref->name()] = sum;
  return true;
}

std::optional<int64_t> ResourceMetric::usage_of(const PodUsage& usage) const {
  std::optional<int64_t> sum;
  for (const PodUsage::Container& each : usage.containers) {
    if (!container_.empty() && each.name != container_) continue;
    sum = sum.value_or(0) + (resource_ == "cpu" ? each.cpu_millis : each.memory_bytes * 1000);
  }
  return sum;
}

// What a pod uses while it starts says nothing.
bool ResourceMetric::is_unready(const Parsed& pod, const PodUsage& usage) const {
  const json::Node status = pod.node["status"];
  const json::Node ready = find_condition(status, "Ready");
  const auto started = parse_rfc3339(status["startTime"].string());
  const auto moved = parse_rfc3339(ready["lastTransitionTime"].string());
  if (!ready || !started || !moved) return true;
  const bool is_not_ready = ready["status"].string() == "False";
  if (now_.wall < *started + kCpuInitialization)
    return is_not_ready || usage.at < *moved + usage.window;
  return is_not_ready && *moved < *started + kInitialReadiness;
}

double ResourceMetric::ratio_of(const ByPod& usage) const {
  int64_t used = 0;
  int64_t wanted = 0;
  for (const auto& [pod, amount] : usage) {
    used += amount;
    const auto request = requests_.find(pod);
    wanted +=
        is_utilization() ? (request == requests_.end() ? 0 : request->second) : target_average();
  }
  if (wanted <= 0) return 1;
  const double share = static_cast<double>(used) / static_cast<double>(wanted);
  if (!is_utilization()) return share;
  return std::floor(share * 100) / source_["target"]["averageUtilization"].number(1);
}

bool ResourceMetric::is_tolerated(double ratio) const {
  const json::Node rules = spec_["behavior"][ratio > 1 ? "scaleUp" : "scaleDown"];
  const json::Node own = rules["tolerance"];
  const double tolerance =
      own ? static_cast<double>(api::quantity_millis(own.string()).value_or(100)) / 1000
          : kTolerance;
  return std::abs(ratio - 1) <= tolerance;
}

// Pods that tell nothing use what speaks against the change.
void ResourceMetric::assume(ByPod& usage, double first_ratio) const {
  for (const std::string_view pod : missing_) {
    if (first_ratio > 1) {
      usage[pod] = 0;
    } else if (first_ratio < 1 && is_utilization()) {
      const int64_t percent =
          std::max<int64_t>(100, source_["target"]["averageUtilization"].integer());
      usage[pod] = requests_.find(pod)->second * percent / 100;
    } else if (first_ratio < 1) {
      usage[pod] = target_average();
    }
  }
  if (first_ratio <= 1) return;
  for (const std::string_view pod : unready_)
    usage[pod] = 0;
}

int64_t ResourceMetric::replicas() const {
  const double first = ratio();
  const bool plain = missing_.empty() && (unready_.empty() || first <= 1);
  const auto times = [](double ratio, size_t pods) {
    return static_cast<int64_t>(std::ceil(ratio * static_cast<double>(pods)));
  };
  if (plain) return is_tolerated(first) ? current_ : times(first, usage_.size());
  ByPod usage = usage_;
  assume(usage, first);
  const double ratio = ratio_of(usage);
  if (is_tolerated(ratio) || (first < 1 && ratio > 1) || (first > 1 && ratio < 1)) return current_;
  const int64_t replicas = times(ratio, usage.size());
  const bool backwards = ratio < 1 ? replicas > current_ : replicas < current_;
  return backwards ? current_ : replicas;
}

void ResourceMetric::write_status(json::Node current) const {
  int64_t used = 0;
  int64_t wanted = 0;
  for (const auto& [pod, amount] : usage_) {
    used += amount;
    if (is_utilization()) wanted += requests_.find(pod)->second;
  }
  const int64_t average = used / static_cast<int64_t>(usage_.size());
  const std::string text =
      resource_ == "memory" ? std::to_string(average / 1000) : api::millis_quantity(average);
  current.set("averageValue", std::string_view(text));
  if (wanted > 0) current.set("averageUtilization", used * 100 / wanted);
}

Proposal refused(std::string_view reason, std::string_view what, std::string_view why) {
  Proposal proposal;
  proposal.reason = std::string(reason);
  proposal.message = join({"the HPA was unable to compute the replica count: ", what, why});
  return proposal;
}

}  // namespace

Proposal propose(const Now& now,
                 json::Node spec,
                 json::Node metric,
                 const std::vector<Parsed>& pods,
                 int64_t current,
                 json::Node statuses) {
  const std::string_view type = metric["type"].string();
  const bool of_container = type == "ContainerResource";
  if (type != "Resource" && !of_container) {
    return refused(join({"FailedGet", type, "Metric"}), "unable to fetch metrics from ",
                   type == "External" ? "external metrics API: it is not served"
                                      : "custom metrics API: it is not served");
  }
  const std::string member = of_container ? "containerResource" : "resource";
  const json::Node source = metric[member];
  ResourceMetric read(now, spec, source, current);
  const std::string_view name = source["name"].string();
  if (!read.read(pods)) {
    const std::string what = read.is_utilization()
                                 ? join({"failed to get ", name, " utilization: "})
                                 : join({"failed to get ", name, " usage: "});
    return refused(of_container ? "FailedGetContainerResourceMetric" : "FailedGetResourceMetric",
                   what, read.problem());
  }
  const json::Node status = statuses.append_object();
  status.set("type", type);
  const json::Node about = status.object(member);
  about.set("name", name);
  if (of_container) about.set("container", source["container"]);
  read.write_status(about.object("current"));
  const std::string_view what =
      of_container ? "container resource utilization" : "resource utilization";
  return {read.replicas(),
          read.is_utilization() ? join({name, " ", what, " (percentage of request)"})
                                : join({name, of_container ? " container" : "", " resource"}),
          {},
          {}};
}

}  // namespace coracle::controllers
