// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/agent.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "node/container_start.h"
#include "node/links.h"
#include "node/machine.h"
#include "node/status.h"

namespace coracle::node {

Agent::Agent(api::Client& client, const AgentPorts& ports, AgentOptions options)
    : client_(client),
      ports_(ports),
      options_(std::move(options)),
      images_(ports.disk,
              ports.unpack,
              options_.data_directory + "/images",
              std::string(architecture())),
      cgroups_(ports.disk, options_.cgroup_mount, options_.cgroup_parent),
      addresses_(options_.pod_cidr),
      events_(client, ports_.clock, ports_.random, {"kubelet", options_.node_name}),
      around_{client,           ports,   options_, read_machine(ports.disk),
              options_.node_ip, images_, cgroups_, addresses_,
              events_,          *this},
      node_events_(events_, options_.node_name),
      registration_(client, ports_.clock, ports_.disk, ports_.links, options_),
      storage_(client,
               {ports_.clock, ports_.disk, ports_.unpack},
               events_,
               options_.node_name,
               options_.storage_directory()),
      evictor_(around_, pods_, *this) {}

Agent::~Agent() {
  if (started_) client_.unsubscribe(*this);
  images_.forget(*this);
  ports_.clock.cancel_turn_end(*this);
}

Result<> Agent::start() {
  TRY(ports_.disk.make_directories(options_.data_directory + "/pods", 0711));
  TRY(ports_.disk.make_directories(options_.run_directory + "/pods", 0711));
  TRY(images_.open().with("open image store"));
  if (around_.node_ip.empty()) {
    const Result<std::vector<port::HostAddress>> addresses = ports_.links.addresses();
    if (addresses && !addresses->empty())
      around_.node_ip = addresses->front().address.address.text();
  }
  client_.subscribe(*this);
  started_ = true;
  TickListener& ticks = *this;
  registration_.start({around_.machine, images_, evictor_.pressure(), node_events_, ticks},
                      around_.node_ip);
  TRY(adopt_all());
  api::for_each(client_.state(), api::kPod, {}, [&](const api::ObjectRef& pod) { take(pod); });
  remove_orphans();
  storage_.look_at_all();
  LOG(kInfo, "node: started", kv("name", options_.node_name), kv("pods", pods_.size()),
      kv("images", images_.all().size()));
  return {};
}

// --- Pods from before

Result<> Agent::adopt_all() {
  const std::vector<std::string> names = TRY(ports_.disk.list(options_.data_directory + "/pods"));
  for (const std::string& uid : names)
    adopt_directory(uid);
  return {};
}

void Agent::adopt_directory(const std::string& uid) {
  const Result<std::string> text =
      ports_.disk.read_file(around_.pod_directory(uid) + "/record.json");
  Result<PodRecord> record = text ? parse_record(*text) : Result<PodRecord>(text.error());
  if (!record || record->uid != uid) {  // torn: whatever runs there is ended
    record = PodRecord();
    record->uid = uid;
    record->phase = Phase::kRunning;
  }
  const bool has_name = !record->name.empty();
  const api::ObjectRef pod =
      has_name ? client_.state().get(api::kPod, record->ns, record->name) : api::ObjectRef();
  auto actor = std::make_unique<PodActor>(around_, std::move(*record));
  if (pod && pod->uid() == uid && is_ours(*pod))
    actor->see(pod);
  else if (options_.is_confirmed || !has_name)
    actor->lose();
  else
    actor->spare();
  actor->adopt();
  pods_.emplace(uid, std::move(actor));
}

// The memory of an agent that was killed may be older than its pods: those that it does not name
// are spared until a server has spoken.
void Agent::confirm() {
  if (options_.is_confirmed) return;
  options_.is_confirmed = true;
  for (const auto& [uid, actor] : pods_) {
    if (actor->is_spared()) actor->lose();
  }
}

void Agent::remove_orphans() {
  for (const std::string& uid : cgroups_.pods()) {
    if (find(uid) == nullptr) cgroups_.remove_pod(uid);
  }
  const std::string prefix = pod_link_prefix(options_.bridge);
  const Result<std::vector<std::string>> links = ports_.links.links_with_prefix(prefix);
  for (const std::string& link : links ? *links : std::vector<std::string>()) {
    const bool known = std::any_of(pods_.begin(), pods_.end(), [&](const auto& pod) {
      return pod_link_name(options_.bridge, pod.first) == link;
    });
    if (!known) static_cast<void>(ports_.links.remove_link(link));
  }
  const Result<std::vector<std::string>> runs = ports_.disk.list(options_.run_directory + "/pods");
  for (const std::string& uid : runs ? *runs : std::vector<std::string>()) {
    if (find(uid) == nullptr)
      remove_later(ports_.unpack, ports_.disk, around_.pod_run_directory(uid));
  }
}

// --- Changes

bool Agent::is_ours(const api::Object& pod) const {
  // Most changes are of other nodes' pods: look before parsing.
  if (pod.text().find(options_.node_name) == std::string_view::npos) return false;
  json::Tree tree;
  return pod.parse(tree)["spec"]["nodeName"].string() == options_.node_name;
}

PodActor* Agent::find(std::string_view uid) const {
  const auto at = pods_.find(uid);
  return at == pods_.end() ? nullptr : at->second.get();
}

void Agent::on_change(const api::Change& change) {
  const api::Object& object = *change.after;
  if (&object.kind() == &api::kPod) {
    if (change.type != api::ChangeType::kDeleted) return take(change.after);
    PodActor* actor = find(object.uid());
    if (actor != nullptr) actor->lose();
  } else if (&object.kind() == &api::kConfigMap || &object.kind() == &api::kSecret ||
             &object.kind() == &api::kPersistentVolumeClaim) {
    tell_pods(object);
  } else if (&object.kind() == &api::kPersistentVolume) {
    tell_pods(object);
    if (change.type != api::ChangeType::kDeleted) storage_.look(change.after);
  } else if (&object.kind() == &api::kNode && object.name() == options_.node_name) {
    registration_.schedule();
  }
}

void Agent::tell_pods(const api::Object& object) {
  for (const auto& [uid, actor] : pods_) {
    if (object.ns().empty() || actor->record().ns == object.ns())
      actor->object_changed(object.kind(), object.name());
  }
}

void Agent::take(const api::ObjectRef& pod) {
  PodActor* actor = find(pod->uid());
  if (actor != nullptr) {
    if (actor->object() && actor->object()->version() == pod->version()) return;
    return actor->see(pod);
  }
  if (is_ours(*pod)) admit(pod);
}

void Agent::admit(const api::ObjectRef& pod) {
  json::Tree tree;
  const json::Node node = pod->parse(tree);
  const std::string_view phase = node["status"]["phase"].string();
  const bool is_over = phase == "Succeeded" || phase == "Failed";
  if (is_over && !pod->deleting()) return;  // ended in the life of an agent whose directory is gone
  PodRecord record = new_record(node, ports_.clock.wall());
  if (const auto started = parse_rfc3339(node["status"]["startTime"].string()))
    record.started = *started;
  if (is_over) {
    record.phase = Phase::kEnded;
    record.foreign = true;
  }
  const auto active =
      static_cast<int64_t>(std::count_if(pods_.begin(), pods_.end(), [](const auto& entry) {
        return entry.second->record().phase < Phase::kEnded;
      }));
  if (!is_over && active >= options_.pods_max) {  // upstream pkg/kubelet/lifecycle/predicate.go
    record.failed = true;
    record.reason = "OutOfpods";
    record.message =
        join({"Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: ",
              std::to_string(active), ", capacity: ", std::to_string(options_.pods_max)});
  }
  if (const std::string why = evictor_.refusal(node); !is_over && !record.failed && !why.empty()) {
    record.failed = true;
    record.reason = "Evicted";
    record.message = join({"Pod was rejected: ", why});
  }
  auto actor = std::make_unique<PodActor>(around_, std::move(record));
  actor->see(pod);
  pods_.emplace(std::string(pod->uid()), std::move(actor));
}

void Agent::on_pod_over() {
  ports_.clock.at_turn_end(*this);
}

void Agent::on_turn_end() {
  std::erase_if(pods_, [](const auto& entry) { return entry.second->removed(); });
}

// --- Logs

namespace {

Error not_started(const ContainerState& state, const PodRecord& record, std::string_view reason) {
  std::string_view why = reason;
  if (reason == "ErrImagePull") why = "image can't be pulled";
  if (reason == "ImagePullBackOff") why = "trying and failing to pull image";
  return fail(Code::kBadRequest, join({"container \"", state.name, "\" in pod \"", record.name,
                                       "\" is waiting to start: ", why}));
}

// The attempt whose log is asked for.
Result<int64_t> attempt_of(json::Node pod,
                           const PodRecord& record,
                           const ContainerState& state,
                           bool previous) {
  const bool between = state.run == RunState::kTerminated && !state.waiting_reason.empty();
  if (previous) {
    if (between && state.ended) return state.ended->attempt;
    if (state.before) return state.before->attempt;
    return fail(Code::kBadRequest, join({"previous terminated container \"", state.name,
                                         "\" in pod \"", record.name, "\" not found"}));
  }
  if (state.run == RunState::kRunning) return state.attempt;
  if (state.ended) return state.ended->attempt;
  if (state.before) return state.before->attempt;
  return not_started(state, record, waiting_of(pod, record, state).reason);
}

}  // namespace

Result<std::unique_ptr<api::LogStream>> Agent::open(const api::Object& pod,
                                                    const api::LogOptions& options,
                                                    api::LogSink& sink) {
  const PodActor* actor = find(pod.uid());
  if (actor == nullptr)
    return fail(Code::kNotFound, join({"pod \"", pod.name(), "\" is not known to node \"",
                                       options_.node_name, "\""}));
  const PodRecord& record = actor->record();
  const ContainerState* state = record.find(options.container);
  if (state == nullptr)
    return fail(Code::kBadRequest,
                join({"container ", options.container, " is not valid for pod ", pod.name()}));
  json::Tree tree;
  const int64_t attempt = TRY(attempt_of(pod.parse(tree), record, *state, options.previous));
  const LogInstance instance{record.uid, state->name, attempt};
  LogReader reader(ports_.disk, log_path(around_, record.uid, state->name, attempt), options);
  TRY(reader.open());
  const LogLife& life = *this;
  return std::unique_ptr<api::LogStream>(std::make_unique<LogTail>(
      ports_.clock, std::move(reader), instance, life, options.follow, sink));
}

bool Agent::may_still_write(const LogInstance& instance) const {
  const PodActor* actor = find(instance.uid);
  const ContainerState* state =
      actor != nullptr ? actor->record().find(instance.container) : nullptr;
  return state != nullptr && state->alive() && state->attempt == instance.attempt;
}

// --- Usage

api::NodeUsage Agent::usage() {
  const Wall wall = ports_.clock.wall();
  const Mono now = ports_.clock.now();
  meter_.begin(now);
  api::NodeUsage usage;
  usage.name = options_.node_name;
  usage.at = wall;
  usage.window = meter_.window();
  usage.memory_available =
      static_cast<uint64_t>(std::max<int64_t>(memory_available(ports_.disk), 0));
  const auto total = static_cast<uint64_t>(std::max<int64_t>(around_.machine.memory_bytes, 0));
  usage.usage.memory_charge = total - std::min(usage.memory_available, total);
  usage.usage.memory_bytes = usage.usage.memory_charge;
  usage.usage.cpu_ns = cpu_time_ns(ports_.disk);
  usage.usage.nano_cores = meter_.rate("", usage.usage.cpu_ns, {now.ns});
  for (const auto& [uid, actor] : pods_) {
    api::PodUsage pod = pod_usage(actor->record(), wall);
    if (!pod.containers.empty()) usage.pods.push_back(std::move(pod));
  }
  meter_.end();
  return usage;
}

api::PodUsage Agent::pod_usage(const PodRecord& record, Wall now) {
  api::PodUsage pod{record.ns, record.name, record.uid, record.started, {}};
  for (const ContainerState& state : record.containers) {
    if (state.run != RunState::kRunning) continue;
    const std::string path = cgroups_.container_path(record.uid, state.id());
    api::ContainerUsage each{state.name, state.started, cgroups_.usage(path)};
    each.usage.nano_cores = meter_.rate(path, each.usage.cpu_ns, now - state.started);
    pod.containers.push_back(std::move(each));
  }
  return pod;
}

// --- Images

void Agent::load_image(std::string path, ImageListener& listener, uint64_t token) {
  forwards_[next_forward_] = {&listener, token};
  images_.load(std::move(path), *this, next_forward_++);
}

void Agent::remove_image(const std::string& name, ImageListener& listener, uint64_t token) {
  const Image* image = images_.find(name);
  const bool last_name = image != nullptr && image->names.size() <= 1;
  const bool in_use =
      image != nullptr && std::any_of(pods_.begin(), pods_.end(), [&](const auto& entry) {
        return entry.second->uses_image(image->id);
      });
  if (in_use && last_name)
    return listener.on_image_removed(
        token, fail(Code::kConflict, join({"image \"", name, "\" is used by a Pod"})));
  forwards_[next_forward_] = {&listener, token};
  images_.remove(name, *this, next_forward_++);
}

// Upstream imageGCManager.DeleteUnusedImages, for a node that is short of storage.
bool Agent::free_images() {
  std::vector<std::string> names;
  for (const Image& image : images_.all()) {
    const bool used = std::any_of(pods_.begin(), pods_.end(), [&](const auto& entry) {
      return entry.second->uses_image(image.id);
    });
    if (used) continue;
    names.insert(names.end(), image.names.begin(), image.names.end());
    if (image.names.empty()) names.push_back(image.id);
  }
  for (const std::string& name : names) {
    LOG(kWarn, "node: unused image removed", kv("image", name));
    forwards_[next_forward_] = {};
    images_.remove(name, *this, next_forward_++);
  }
  return !names.empty();
}

void Agent::node_is_short(std::string_view resource) {
  const api::ObjectRef node = client_.state().get(api::kNode, {}, options_.node_name);
  if (node) node_events_.short_of(*node, resource);
}

void Agent::forget(ImageListener& listener) {
  for (auto& [token, forward] : forwards_) {
    if (forward.listener == &listener) forward.listener = nullptr;
  }
}

Agent::Forward Agent::take_forward(uint64_t token) {
  const auto at = forwards_.find(token);
  if (at == forwards_.end()) return {};
  const Forward forward = at->second;
  forwards_.erase(at);
  return forward;
}

void Agent::on_image_loaded(uint64_t token, Result<std::vector<std::string>> names) {
  if (names) {
    for (const auto& [uid, actor] : pods_)
      actor->images_changed();
    registration_.schedule();
  }
  const Forward to = take_forward(token);
  if (to.listener != nullptr) to.listener->on_image_loaded(to.token, std::move(names));
}

void Agent::on_image_removed(uint64_t token, Result<> removed) {
  registration_.schedule();
  const Forward to = take_forward(token);
  if (to.listener != nullptr) to.listener->on_image_removed(to.token, std::move(removed));
}

}  // namespace coracle::node
