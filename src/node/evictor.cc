// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/evictor.h"

#include <algorithm>
#include <utility>

#include "api/quantity.h"
#include "base/bytes.h"
#include "base/log.h"

namespace coracle::node {

namespace {

constexpr int64_t kWalkShare = 20;  // walks take at most a twentieth of the time
constexpr int64_t kSystemCritical = 2'000'000'000;

bool is_storage(Signal signal) {
  return signal == Signal::kStorage || signal == Signal::kInodes;
}

// Of a Pod's spec; what pids and inodes need is not asked for.
std::string_view request_name(Signal signal) {
  return signal == Signal::kMemory    ? "memory"
         : signal == Signal::kStorage ? "ephemeral-storage"
                                      : std::string_view();
}

uint64_t request_of(json::Node container, Signal signal) {
  const std::string_view text =
      container["resources"]["requests"][request_name(signal)].string("0");
  return static_cast<uint64_t>(std::max<int64_t>(api::quantity_value(text).value_or(0), 0));
}

uint64_t requests_of(json::Node pod, Signal signal) {
  uint64_t sum = 0;
  for (const ContainerSpec& container : containers_of(pod)) {
    if (!container.init || container.sidecar) sum += request_of(container.node, signal);
  }
  return sum;
}

bool may_be_evicted(const PodActor& pod) {
  const PodRecord& record = pod.record();
  return pod.object() && !record.failed && !record.gone && !pod.object()->deleting() &&
         (record.phase == Phase::kRunning || record.phase == Phase::kSettingUp);
}

std::string amount(Signal signal, uint64_t value) {
  const bool is_count = signal == Signal::kInodes || signal == Signal::kProcessIds;
  return is_count ? std::to_string(value) : api::bytes_quantity(static_cast<int64_t>(value));
}

bool tolerates_memory_pressure(json::Node pod) {
  for (const json::Node each : pod["spec"]["tolerations"]) {
    const std::string_view key = each["key"].string();
    const bool matches = key == "node.kubernetes.io/memory-pressure" ||
                         (key.empty() && each["operator"].string() == "Exists");
    const std::string_view effect = each["effect"].string();
    if (matches && (effect.empty() || effect == "NoSchedule")) return true;
  }
  return false;
}

}  // namespace

// Upstream managerImpl.Admit: a node short of memory takes what asks for some, one that is short of
// anything else only what the system needs.
std::string Evictor::refusal(json::Node pod) const {
  std::string conditions;
  const auto add = [&](bool shown, std::string_view name) {
    if (shown) conditions += join({conditions.empty() ? "" : " ", name});
  };
  add(pressure_.memory(), "MemoryPressure");
  add(pressure_.storage(), "DiskPressure");
  add(pressure_.process_ids(), "PIDPressure");
  if (conditions.empty() || pod["spec"]["priority"].integer() >= kSystemCritical) return {};
  const bool only_memory = conditions == "MemoryPressure";
  if (only_memory && (qos_of(pod) != Qos::kBestEffort || tolerates_memory_pressure(pod))) return {};
  return join({"The node had condition: [", conditions, "]. "});
}

Supplies Evictor::supplies() const {
  port::Disk& disk = around_.ports.disk;
  Supplies all{};
  const int64_t memory = memory_available(disk);
  if (memory >= 0)
    all[0] = {static_cast<uint64_t>(std::max<int64_t>(around_.machine.memory_bytes, 0)),
              static_cast<uint64_t>(memory)};
  if (const Result<port::Space> space = disk.space(around_.options.data_directory)) {
    all[1] = {space->total, space->available};
    all[2] = {space->inodes, space->inodes_free};
  }
  const ProcessIds ids = process_ids(disk);
  all[3] = {ids.most, ids.most - std::min(ids.used, ids.most)};
  return all;
}

void Evictor::look() {
  short_of_ = shortages(around_.options.eviction, supplies());
  pressure_.see(short_of_, around_.ports.clock.now());
  const bool limited = std::any_of(pods_.begin(), pods_.end(), [](const auto& entry) {
    json::Tree tree;
    const PodActor& pod = *entry.second;
    return may_be_evicted(pod) && has_storage_limits(pod.object()->parse(tree));
  });
  if (short_of_.empty()) {
    told_ = {};
    if (limited) walk();
    return;
  }
  const Shortage& first = short_of_.front();
  if (std::exchange(told_, resource_name(first.signal)) != resource_name(first.signal))
    host_.node_is_short(told_);
  if (!is_storage(first.signal)) {
    evict(first, {});
    if (limited) walk();
  } else if (!host_.free_images()) {
    walk();
  }
}

void Evictor::walk() {
  const Mono now = around_.ports.clock.now();
  if (jobs_.under_way() > 0 || now < walk_not_before_) return;
  std::vector<FootprintPart> parts;
  for (const auto& [uid, pod] : pods_) {
    if (!may_be_evicted(*pod)) continue;
    json::Tree tree;
    add_parts(around_, pod->record(), pod->object()->parse(tree), parts);
  }
  walk_began_ = now;
  FootprintListener& listener = *this;
  around_.ports.unpack.submit(
      std::make_unique<FootprintJob>(jobs_, around_.ports, std::move(parts), listener));
}

void Evictor::on_footprints(const Footprints& footprints) {
  const Mono now = around_.ports.clock.now();
  walk_not_before_ = now + (now - walk_began_) * kWalkShare;
  for (const auto& [uid, footprint] : footprints) {
    const auto found = pods_.find(uid);
    if (found == pods_.end() || !may_be_evicted(*found->second)) continue;
    json::Tree tree;
    const std::string why = storage_excess(found->second->object()->parse(tree), footprint);
    if (!why.empty()) found->second->evict(why);
  }
  if (!short_of_.empty() && is_storage(short_of_.front().signal))
    evict(short_of_.front(), footprints);
}

uint64_t Evictor::container_usage(const Shortage& shortage,
                                  const PodRecord& record,
                                  const ContainerState& state,
                                  const Footprint& footprint) const {
  const std::string path = around_.cgroups.container_path(record.uid, state.id());
  if (shortage.signal == Signal::kMemory) return around_.cgroups.usage(path).memory_bytes;
  if (shortage.signal == Signal::kProcessIds) return around_.cgroups.processes(path);
  const auto found = footprint.containers.find(state.name);
  return found == footprint.containers.end() ? 0 : found->second;
}

uint64_t Evictor::usage_of(const Shortage& shortage,
                           const PodRecord& record,
                           const Footprint& footprint) const {
  if (shortage.signal == Signal::kStorage) return footprint.total();
  if (shortage.signal == Signal::kInodes) return footprint.files;
  uint64_t sum = 0;
  for (const ContainerState& state : record.containers) {
    if (state.alive()) sum += container_usage(shortage, record, state, footprint);
  }
  return sum;
}

// Upstream evictionMessage.
std::string Evictor::message(const Shortage& shortage,
                             const PodActor& pod,
                             const Footprint& footprint) const {
  const std::string_view resource = resource_name(shortage.signal);
  std::string text = join({"The node was low on resource: ", resource,
                           ". Threshold quantity: ", amount(shortage.signal, shortage.threshold),
                           ", available: ", amount(shortage.signal, shortage.available), ". "});
  if (shortage.signal == Signal::kInodes) return text;
  json::Tree tree;
  const std::vector<ContainerSpec> specs = containers_of(pod.object()->parse(tree));
  for (size_t i = 0; i < specs.size() && i < pod.record().containers.size(); ++i) {
    const ContainerState& state = pod.record().containers[i];
    if (!state.alive()) continue;
    const uint64_t used = container_usage(shortage, pod.record(), state, footprint);
    const uint64_t request = request_of(specs[i].node, shortage.signal);
    if (used > request)
      text += join({"Container ", state.name, " was using ", amount(shortage.signal, used),
                    ", request is ", amount(shortage.signal, request),
                    ", has larger consumption of ", resource, ". "});
  }
  return text;
}

void Evictor::evict(const Shortage& shortage, const Footprints& footprints) {
  const Footprint none;
  const auto footprint_of = [&](const std::string& uid) -> const Footprint& {
    const auto found = footprints.find(uid);
    return found == footprints.end() ? none : found->second;
  };
  std::vector<Candidate> candidates;
  for (const auto& [uid, pod] : pods_) {
    // One that is going may be enough.
    if (pod->record().reason == "Evicted" && pod->record().phase < Phase::kEnded) return;
    if (!may_be_evicted(*pod)) continue;
    json::Tree tree;
    const json::Node root = pod->object()->parse(tree);
    candidates.push_back({uid, root["spec"]["priority"].integer(),
                          usage_of(shortage, pod->record(), footprint_of(uid)),
                          requests_of(root, shortage.signal)});
  }
  const Candidate* first = first_to_go(candidates);
  if (first == nullptr) return;
  PodActor& pod = *pods_.find(first->uid)->second;
  LOG(kWarn, "node: pod evicted", kv("pod", pod.record().ns + "/" + pod.record().name),
      kv("short-of", resource_name(shortage.signal)));
  pod.evict(message(shortage, pod, footprint_of(first->uid)));
}

}  // namespace coracle::node
