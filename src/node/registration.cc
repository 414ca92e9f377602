// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/registration.h"

#include <algorithm>

#include "api/claims.h"
#include "api/quantity.h"
#include "base/bytes.h"
#include "base/log.h"

namespace coracle::node {

namespace {

constexpr std::string_view kLeaseNamespace = "kube-node-lease";
constexpr int64_t kLeaseSeconds = 40;
constexpr Duration kLeaseEvery = seconds(10);
constexpr Duration kLeaseRetry = seconds(1);
constexpr Duration kReportEvery = minutes(5);
constexpr Duration kRetryFirst = milliseconds(100);
constexpr Duration kRetryMax = seconds(7);
constexpr size_t kImagesListed = 50;  // upstream nodeStatusMaxImages
constexpr uint64_t kNodeCall = 1;
constexpr uint64_t kLeaseCall = 2;

std::vector<std::pair<std::string, std::string>> node_labels(const AgentOptions& options) {
  std::vector<std::pair<std::string, std::string>> labels = {
      {"beta.kubernetes.io/arch", std::string(architecture())},
      {"beta.kubernetes.io/os", "linux"},
      {"kubernetes.io/arch", std::string(architecture())},
      {"kubernetes.io/hostname", options.node_name},
      {"kubernetes.io/os", "linux"}};
  labels.insert(labels.end(), options.labels.begin(), options.labels.end());
  return labels;
}

}  // namespace

Registration::Registration(api::Client& client,
                           port::Clock& clock,
                           port::Disk& disk,
                           port::Links& links,
                           const AgentOptions& options)
    : client_(client),
      clock_(clock),
      disk_(disk),
      links_(links),
      options_(options),
      timer_(clock.timer(*this)) {}

Registration::~Registration() {
  client_.forget(*this);
  clock_.cancel_turn_end(*this);
}

void Registration::start(const Sources& sources, std::string node_ip) {
  sources_.emplace(sources);
  node_ip_ = std::move(node_ip);
  lease_due_ = clock_.now();
  schedule();
}

void Registration::schedule() {
  if (sources_) clock_.at_turn_end(*this);
}

void Registration::on_alarm(port::Timer&) {
  schedule();
}

void Registration::on_turn_end() {
  ensure_network();
  const bool tick = !lease_pending_ && clock_.now() >= lease_due_;
  if (tick) sources_->listener.on_lease_tick();
  sync_node();
  if (tick) renew_lease();
  Mono next = lease_due_;
  if (node_delay_.ns > 0) next = std::min(next, node_not_before_);
  timer_->arm(std::max(next, clock_.now() + milliseconds(1)));
}

void Registration::ensure_network() {
  if (network_problem_.empty()) return;
  const Cidr4 gateway{{options_.pod_cidr.network().value + 1}, options_.pod_cidr.prefix};
  const Result<> made = links_.ensure_bridge(options_.bridge, gateway);
  network_problem_ = made ? std::string() : made.error().message;
  if (!made)
    LOG(kError, "node: bridge not set up", kv("bridge", options_.bridge),
        kv("why", network_problem_));
}

void Registration::submit(api::CallVerb verb, api::Key key, std::string body, uint64_t token) {
  api::Call call;
  call.verb = verb;
  call.key = std::move(key);
  call.body = std::move(body);
  client_.submit(std::move(call), *this, token);
}

void Registration::on_answer(uint64_t token, Result<api::ObjectRef> answer) {
  schedule();
  if (token == kLeaseCall) {
    lease_pending_ = false;
    if (!answer) lease_due_ = clock_.now() + kLeaseRetry;
    return;
  }
  node_pending_ = false;
  if (answer) {
    node_delay_ = {};
    if (!sent_status_.empty() && *answer) sent_version_ = (*answer)->version();
    return;
  }
  sent_status_.clear();
  node_delay_ = node_delay_.ns == 0 ? kRetryFirst : std::min(node_delay_ * 2, kRetryMax);
  node_not_before_ = clock_.now() + node_delay_;
  if (answer.error().code != Code::kConflict && answer.error().code != Code::kAlreadyExists)
    LOG(kWarn, "node: registration was refused", kv("why", answer.error().message));
}

// --- The Node

void Registration::sync_node() {
  if (node_pending_ || clock_.now() < node_not_before_) return;
  const api::ObjectRef stored = client_.state().get(api::kNode, {}, options_.node_name);
  if (!stored) return create_node();
  json::Tree tree;
  const json::Node node = stored->parse(tree);
  if (!patch_metadata(*stored, node)) patch_status(*stored, node);
}

void Registration::create_node() {
  json::Tree tree;
  const json::Node node = tree.make_object();
  node.set("apiVersion", "v1");
  node.set("kind", "Node");
  const json::Node meta = node.object("metadata");
  meta.set("name", options_.node_name);
  for (const auto& [name, value] : node_labels(options_))
    meta.object("labels").set(name, std::string_view(value));
  meta.object("annotations").set(api::kStorageDirectory, options_.storage_directory());
  const json::Node spec = node.object("spec");
  const Cidr4 cidr{options_.pod_cidr.network(), options_.pod_cidr.prefix};
  spec.set("podCIDR", cidr.text());
  spec.array("podCIDRs").append(cidr.text());
  node_pending_ = true;
  sent_status_.clear();
  submit(api::CallVerb::kCreate, {&api::kNode, {}, options_.node_name}, json::write(node),
         kNodeCall);
}

// Labels and podCIDR of a Node that was there before. True if a call is under way.
bool Registration::patch_metadata(const api::Object&, json::Node node) {
  json::Tree tree;
  const json::Node patch = tree.make_object();
  for (const auto& [name, value] : node_labels(options_)) {
    if (node["metadata"]["labels"][name].string() != value || !node["metadata"]["labels"][name])
      patch.object("metadata").object("labels").set(name, std::string_view(value));
  }
  const std::string storage = options_.storage_directory();
  if (node["metadata"]["annotations"][api::kStorageDirectory].string() != storage)
    patch.object("metadata").object("annotations").set(api::kStorageDirectory, storage);
  const Cidr4 cidr{options_.pod_cidr.network(), options_.pod_cidr.prefix};
  if (node["spec"]["podCIDR"].string().empty()) {
    patch.object("spec").set("podCIDR", cidr.text());
    patch.object("spec").array("podCIDRs").append(cidr.text());
  }
  if (patch.size() == 0) return false;
  node_pending_ = true;
  sent_status_.clear();
  submit(api::CallVerb::kMergePatch, {&api::kNode, {}, options_.node_name}, json::write(patch),
         kNodeCall);
  return true;
}

void Registration::patch_status(const api::Object& stored, json::Node node) {
  NodeFacts facts{options_, sources_->machine, sources_->images,
                  node_ip_, network_problem_,  sources_->pressure,
                  {},       clock_.wall()};
  if (const Result<port::Space> space = disk_.space(options_.data_directory)) facts.space = *space;
  json::Tree tree;
  const json::Node wanted = make_node_status(tree, node["status"], facts);
  const bool due = clock_.now() - reported_ >= kReportEvery;
  sources_->events.look(stored, node, wanted);
  if (!due && !node_status_differs(wanted, node["status"])) return;
  json::Tree body_tree;
  const json::Node body = body_tree.make_object();
  body.set("status", wanted);
  std::string text = json::write(body);
  if (!due && text == sent_status_ && stored.version() == sent_version_) return;
  api::Call call;
  call.verb = api::CallVerb::kMergePatch;
  call.key = {&api::kNode, {}, options_.node_name};
  call.subresource = api::Subresource::kStatus;
  call.body = text;
  call.expected_version = stored.version();
  sent_status_ = std::move(text);
  reported_ = clock_.now();
  node_pending_ = true;
  client_.submit(std::move(call), *this, kNodeCall);
}

// --- The Lease

void Registration::renew_lease() {
  const api::ObjectRef stored =
      client_.state().get(api::kLease, kLeaseNamespace, options_.node_name);
  json::Tree tree;
  const json::Node lease = tree.make_object();
  if (!stored) {
    lease.set("apiVersion", "coordination.k8s.io/v1");
    lease.set("kind", "Lease");
    lease.object("metadata").set("name", options_.node_name);
    const api::ObjectRef node = client_.state().get(api::kNode, {}, options_.node_name);
    if (!node) {  // the owner reference needs its uid
      lease_due_ = clock_.now() + kLeaseRetry;
      return;
    }
    const json::Node owner = lease.object("metadata").array("ownerReferences").append_object();
    owner.set("apiVersion", "v1");
    owner.set("kind", "Node");
    owner.set("name", options_.node_name);
    owner.set("uid", node->uid());
  }
  const json::Node spec = lease.object("spec");
  spec.set("holderIdentity", options_.node_name);
  spec.set("leaseDurationSeconds", kLeaseSeconds);
  spec.set("renewTime", rfc3339_micro(clock_.wall()));
  lease_pending_ = true;
  lease_due_ =
      clock_.now() + kLeaseEvery;  // also while the answer is awaited: no timer in the past
  submit(stored ? api::CallVerb::kMergePatch : api::CallVerb::kCreate,
         {&api::kLease, std::string(kLeaseNamespace), options_.node_name}, json::write(lease),
         kLeaseCall);
}

// --- The status

namespace {

struct Condition {
  std::string_view type;
  bool value;
  std::string_view reason;
  std::string message;
};

void put_condition(json::Node list, json::Node stored, const Condition& condition, Wall now) {
  const std::string_view status = condition.value ? "True" : "False";
  std::string since = rfc3339(now);
  for (const json::Node old : stored["conditions"]) {
    if (old["type"].string() == condition.type && old["status"].string() == status)
      since = old["lastTransitionTime"].string(since);
  }
  const json::Node row = list.append_object();
  row.set("type", condition.type);
  row.set("status", status);
  row.set("lastHeartbeatTime", rfc3339(now));
  row.set("lastTransitionTime", since);
  row.set("reason", condition.reason);
  row.set("message", condition.message);
}

void put_conditions(json::Node status, json::Node stored, const NodeFacts& facts) {
  const json::Node list = status.array("conditions");
  const bool memory = facts.pressure.memory();
  const bool disk = facts.pressure.storage();
  const bool pids = facts.pressure.process_ids();
  put_condition(list, stored,
                {"MemoryPressure", memory,
                 memory ? "KubeletHasInsufficientMemory" : "KubeletHasSufficientMemory",
                 memory ? "kubelet has insufficient memory available"
                        : "kubelet has sufficient memory available"},
                facts.now);
  put_condition(list, stored,
                {"DiskPressure", disk, disk ? "KubeletHasDiskPressure" : "KubeletHasNoDiskPressure",
                 disk ? "kubelet has disk pressure" : "kubelet has no disk pressure"},
                facts.now);
  put_condition(
      list, stored,
      {"PIDPressure", pids, pids ? "KubeletHasInsufficientPID" : "KubeletHasSufficientPID",
       pids ? "kubelet has insufficient PID available" : "kubelet has sufficient PID available"},
      facts.now);
  const bool ready = facts.network_problem.empty();
  put_condition(list, stored,
                {"Ready", ready, ready ? "KubeletReady" : "KubeletNotReady",
                 ready ? std::string("kubelet is posting ready status")
                       : join({"container runtime network not ready: ", facts.network_problem})},
                facts.now);
  for (const json::Node old : stored["conditions"]) {
    const std::string_view type = old["type"].string();
    if (type != "MemoryPressure" && type != "DiskPressure" && type != "PIDPressure" &&
        type != "Ready")
      list.append(old);
  }
}

void put_resources(json::Node status, const NodeFacts& facts) {
  const AgentOptions& options = facts.options;
  const auto total = static_cast<int64_t>(facts.space.total);
  const json::Node capacity = status.object("capacity");
  capacity.set("cpu", std::to_string(facts.machine.cpus));
  capacity.set("ephemeral-storage", api::bytes_quantity(total));
  capacity.set("memory", api::bytes_quantity(facts.machine.memory_bytes));
  capacity.set("pods", std::to_string(options.pods_max));
  const json::Node left = status.object("allocatable");
  left.set("cpu", api::millis_quantity(facts.machine.cpus * 1000 - options.reserved_cpu_millis));
  left.set("ephemeral-storage", api::bytes_quantity(total / 10 * 9));
  left.set("memory",
           api::bytes_quantity(facts.machine.memory_bytes - options.reserved_memory_bytes));
  left.set("pods", std::to_string(options.pods_max));
}

void put_images(json::Node status, const Images& images) {
  std::vector<const Image*> all;
  for (const Image& image : images.all())
    all.push_back(&image);
  std::stable_sort(all.begin(), all.end(),
                   [](const Image* a, const Image* b) { return a->bytes > b->bytes; });
  if (all.size() > kImagesListed) all.resize(kImagesListed);
  status.remove("images");
  for (const Image* image : all) {
    const json::Node row = status.array("images").append_object();
    const json::Node names = row.array("names");
    for (const std::string& name : image->names)
      names.append(std::string_view(name));
    if (image->names.empty()) names.append(std::string_view(image->id));
    row.set("sizeBytes", static_cast<int64_t>(image->bytes));
  }
}

void put_node_info(json::Node status, const NodeFacts& facts) {
  const Machine& machine = facts.machine;
  const json::Node at = status.object("nodeInfo");
  at.set("architecture", architecture());
  at.set("bootID", machine.boot_id);
  at.set("containerRuntimeVersion",
         join({"crun://",
               facts.options.runtime_version.empty() ? "unknown" : facts.options.runtime_version}));
  at.set("kernelVersion", machine.kernel_version);
  at.set("kubeProxyVersion", "");
  at.set("kubeletVersion", facts.options.kubelet_version);
  at.set("machineID", machine.machine_id);
  at.set("operatingSystem", "linux");
  at.set("osImage", machine.os_image);
  at.set("systemUUID", machine.system_uuid);
}

}  // namespace

json::Node make_node_status(json::Tree& tree, json::Node stored, const NodeFacts& facts) {
  const json::Node status = stored.is_object() ? tree.detached(stored) : tree.detached_object();
  status.remove("addresses");
  const json::Node addresses = status.array("addresses");
  const auto add_address = [&](std::string_view type, std::string_view address) {
    const json::Node row = addresses.append_object();
    row.set("type", type);
    row.set("address", address);
  };
  if (!facts.node_ip.empty()) add_address("InternalIP", facts.node_ip);
  add_address("Hostname", facts.options.node_name);
  put_resources(status, facts);
  status.remove("conditions");
  put_conditions(status, stored, facts);
  put_images(status, facts.images);
  put_node_info(status, facts);
  return status;
}

bool node_status_differs(json::Node a, json::Node b) {
  json::Tree left_tree;
  json::Tree right_tree;
  const json::Node left = left_tree.make_root(a);
  const json::Node right = b ? right_tree.make_root(b) : right_tree.make_object();
  for (const json::Node status : {left, right}) {
    for (const json::Node condition : status["conditions"])
      condition.remove("lastHeartbeatTime");
  }
  return !json::equal(left, right);
}

}  // namespace coracle::node
