// SPDX-License-Identifier: GPL-2.0-or-later
// Sets how many pods there are by what they use (upstream pkg/controller/podautoscaler).
#include "controllers/autoscaler.h"

#include <algorithm>

#include "base/bytes.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr Duration kPeriod = seconds(15);

json::Node at_path(json::Node object, std::string_view path) {
  for (const std::string_view step : split(path, '.'))
    object = object[step];
  return object;
}

// What the autoscaler scales.
struct Target {
  Parsed object;
  int64_t replicas = 0;  // wanted
  int64_t there = 0;
  json::Node selector;
};

class Autoscaling {
 public:
  Autoscaling(const Now& now, const api::ObjectRef& object, ScalingMemory& memory)
      : now_(now),
        memory_(memory),
        scaler_(parse(object)),
        next_(parse(object)),
        status_(next_.node.object("status")) {}

  api::Plan plan() {
    plan_.again_after = kPeriod;
    status_.set("observedGeneration", scaler_.node["metadata"]["generation"]);
    if (!status_["currentReplicas"]) status_.set("currentReplicas", 0);
    if (!status_["desiredReplicas"]) status_.set("desiredReplicas", 0);
    if (find_target()) decide();
    if (!json::equal(status_, scaler_.node["status"]))
      plan_.calls.push_back(update_call(next_, api::Subresource::kStatus));
    return std::move(plan_);
  }

 private:
  json::Node spec() const { return scaler_.node["spec"]; }
  std::string target_name() const {
    const json::Node reference = spec()["scaleTargetRef"];
    return join(
        {reference["kind"].string(), "/", scaler_.ref->ns(), "/", reference["name"].string()});
  }
  void set(std::string_view type,
           std::string_view status,
           std::string_view reason,
           std::string message) {
    set_condition(status_, {type, status, reason, std::move(message)}, now_.wall);
  }
  void note(bool warning, std::string reason, std::string message) {
    plan_.notes.push_back({scaler_.ref, warning, std::move(reason), std::move(message), {}});
  }
  bool find_target();
  void decide();
  std::optional<int64_t> follow_metrics(std::string& reason);
  std::optional<Proposal> best_proposal();
  void scale_to(int64_t replicas, const std::string& reason);
  std::vector<Parsed> pods() const;

  const Now& now_;
  ScalingMemory& memory_;
  Parsed scaler_;
  Parsed next_;
  json::Node status_;
  Target target_;
  api::Plan plan_;
};

bool Autoscaling::find_target() {
  const json::Node reference = spec()["scaleTargetRef"];
  const std::string_view version = reference["apiVersion"].string();
  const size_t slash = version.find('/');
  const bool core = slash == std::string_view::npos;
  const api::Kind* kind = api::find_kind_by_name(
      core ? std::string_view() : version.substr(0, slash),
      core ? version : version.substr(slash + 1), reference["kind"].string());
  std::string problem;
  api::ObjectRef object;
  if (kind == nullptr || kind->scale.spec_replicas.empty()) {
    problem = join(
        {"no matches for kind \"", reference["kind"].string(), "\" in version \"", version, "\""});
  } else {
    object = now_.state.get(*kind, scaler_.ref->ns(), reference["name"].string());
    if (!object)
      problem =
          join({kind->plural, ".", kind->group, " \"", reference["name"].string(), "\" not found"});
  }
  if (!problem.empty()) {
    set("AbleToScale", "False", "FailedGetScale",
        join({"the HPA controller was unable to get the target's current scale: ", problem}));
    note(true, "FailedGetScale", problem);
    return false;
  }
  set("AbleToScale", "True", "SucceededGetScale",
      "the HPA controller was able to get the target's current scale");
  target_.object = parse(object);
  const json::Node node = target_.object.node;
  target_.replicas = at_path(node, kind->scale.spec_replicas).integer();
  target_.there = at_path(node, kind->scale.status_replicas).integer();
  target_.selector = at_path(node, kind->scale.selector);
  return true;
}

std::vector<Parsed> Autoscaling::pods() const {
  const json::Node selector = target_.selector;
  const bool structured = selector["matchLabels"] || selector["matchExpressions"];
  api::LabelSelector matches;
  if (selector.is_string()) {
    auto parsed = api::LabelSelector::parse(selector.string());
    if (!parsed) return {};
    matches = std::move(*parsed);
  } else {
    matches = structured ? api::LabelSelector::from_object(selector)
                         : api::LabelSelector::from_map(selector);
  }
  std::vector<Parsed> found;
  api::for_each(now_.state, api::kPod, scaler_.ref->ns(), [&](const api::ObjectRef& object) {
    Parsed pod = parse(object);
    if (matches.matches(pod.node["metadata"]["labels"])) found.push_back(std::move(pod));
  });
  return found;
}

// The highest of what the metrics ask for; nothing if they cannot say.
std::optional<Proposal> Autoscaling::best_proposal() {
  if (!target_.selector || (target_.selector.is_string() && target_.selector.string().empty())) {
    set("ScalingActive", "False", "InvalidSelector",
        "the HPA target's scale is missing a selector");
    note(true, "SelectorRequired", "selector is required");
    return std::nullopt;
  }
  const std::vector<Parsed> all = pods();
  json::Tree tree;
  const json::Node statuses = tree.make_object().array("currentMetrics");
  std::optional<Proposal> best;
  Proposal first_failure;
  size_t failures = 0;
  for (const json::Node metric : spec()["metrics"]) {
    Proposal proposal = propose(now_, spec(), metric, all, target_.replicas, statuses);
    if (!proposal.reason.empty()) {
      if (failures++ == 0) first_failure = std::move(proposal);
    } else if (!best || proposal.replicas > best->replicas) {
      best = std::move(proposal);
    }
  }
  status_.set("currentMetrics", statuses);
  if (statuses.size() == 0) status_.remove("currentMetrics");
  // As long as a metric is silent it might ask for more.
  if (failures == 0 || (best && best->replicas >= target_.replicas)) {
    set("ScalingActive", "True", "ValidMetricFound",
        join({"the HPA was able to successfully calculate a replica count from ", best->name}));
    return best;
  }
  set("ScalingActive", "False", first_failure.reason, first_failure.message);
  note(true, first_failure.reason, first_failure.message);
  note(true, "FailedComputeMetricsReplicas",
       join({"invalid metrics (", std::to_string(failures), " invalid out of ",
             std::to_string(spec()["metrics"].size()),
             "), first error is: ", first_failure.message}));
  return std::nullopt;
}

std::optional<int64_t> Autoscaling::follow_metrics(std::string& reason) {
  const std::optional<Proposal> best = best_proposal();
  if (!best) return std::nullopt;
  const Limited limited = limit_scaling(now_, spec(), memory_, target_.replicas, best->replicas);
  set_condition(status_, limited.able, now_.wall);
  set_condition(status_, limited.limited, now_.wall);
  if (best->replicas > target_.replicas) reason = best->name + " above target";
  if (limited.replicas < target_.replicas) reason = "All metrics below target";
  return limited.replicas;
}

void Autoscaling::decide() {
  const int64_t least = spec()["minReplicas"].integer(1);
  const int64_t most = spec()["maxReplicas"].integer();
  status_.set("currentReplicas", target_.there);
  if (memory_.recommendations.empty())
    memory_.recommendations.push_back({now_.mono, target_.replicas});
  int64_t wanted = target_.replicas;
  std::string reason;
  if (target_.replicas == 0 && least != 0) {
    set("ScalingActive", "False", "ScalingDisabled",
        "scaling is disabled since the replica count of the target is zero");
  } else if (target_.replicas > most) {
    reason = "Current number of replicas above Spec.MaxReplicas";
    wanted = most;
  } else if (target_.replicas < least) {
    reason = "Current number of replicas below Spec.MinReplicas";
    wanted = least;
  } else {
    const std::optional<int64_t> followed = follow_metrics(reason);
    if (!followed) return;
    wanted = *followed;
  }
  if (wanted != target_.replicas) scale_to(wanted, reason);
  status_.set("desiredReplicas", wanted);
}

void Autoscaling::scale_to(int64_t replicas, const std::string& reason) {
  if (now_.refusal != nullptr && now_.refusal->verb == api::CallVerb::kMergePatch) {
    set("AbleToScale", "False", "FailedUpdateScale",
        join(
            {"the HPA controller was unable to update the target scale: ", now_.refusal->message}));
    note(true, "FailedRescale",
         join({"New size: ", std::to_string(replicas), "; reason: ", reason,
               "; error: ", now_.refusal->message}));
  } else {
    set("AbleToScale", "True", "SucceededRescale",
        join({"the HPA controller was able to update the target scale to ",
              std::to_string(replicas)}));
  }
  api::Call call = merge_patch_call(
      target_.object, join({"{\"spec\":{\"replicas\":", std::to_string(replicas), "}}"}));
  call.subresource = api::Subresource::kScale;
  plan_.add(std::move(call), {scaler_.ref,
                              false,
                              "SuccessfulRescale",
                              join({"New size: ", std::to_string(replicas), "; reason: ", reason}),
                              {}});
  status_.set("lastScaleTime", rfc3339(now_.wall));
  remember_scaling(now_, spec(), memory_, target_.replicas, replicas);
}

Result<api::Plan> plan_autoscaler(const Now& now, const api::Key& key) {
  const api::ObjectRef object = now.state.get(api::kHorizontalPodAutoscaler, key.ns, key.name);
  if (!object || object->deleting() || now.scaling == nullptr) return api::Plan{};
  return Autoscaling(now, object, now.scaling->of(key)).plan();
}

// Its own status does not wake it.
void wake_autoscaler(const api::Change& change, const api::State& state, Keys& keys) {
  if (change.before && change.type == api::ChangeType::kModified) {
    json::Tree before;
    json::Tree after;
    if (json::equal(change.before->parse(before)["spec"], change.after->parse(after)["spec"]))
      return;
  }
  wake_itself(change, state, keys);
}

constexpr Watch kWatches[] = {{&api::kHorizontalPodAutoscaler, wake_autoscaler}};

}  // namespace

const Controller kAutoscalerController{"horizontal-pod-autoscaler", kWatches, plan_autoscaler,
                                       nullptr};

}  // namespace coracle::controllers
