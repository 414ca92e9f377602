// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/remote_client.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/ip.h"
#include "base/log.h"
#include "client/memory.h"
#include "client/needs.h"

namespace coracle::client {

namespace {

constexpr size_t kWatchesMax = 80;              // of the 100 streams that a server grants
constexpr Duration kListedEvery = seconds(60);  // what is beyond them
constexpr Duration kLeaseEvery = minutes(10);
constexpr Duration kSaveSoon = seconds(1);  // what decides about Pods
constexpr Duration kSaveLater = seconds(60);
constexpr std::string_view kLeases = "kube-node-lease";

// Of other nodes an agent needs to know where they and their Pods are; their status is long and
// changes often.
api::ObjectRef slim_node(const api::ObjectRef& node) {
  json::Tree tree;
  json::Tree slim_tree;
  const json::Node from = node->parse(tree);
  const json::Node slim = slim_tree.make_object();
  slim.object("metadata").set("name", node->name());
  slim.object("metadata").set("uid", node->uid());
  slim.object("spec").set("podCIDR", from["spec"]["podCIDR"]);
  slim.object("status").set("addresses", from["status"]["addresses"]);
  Result<api::ObjectRef> made = api::seal(api::kNode, slim, node->version());
  if (made) return std::move(*made);
  return node;
}

bool is_same_work(const api::Change& change) {
  if (change.type != api::ChangeType::kModified) return false;
  json::Tree before_tree;
  json::Tree after_tree;
  const json::Node before = change.before->parse(before_tree);
  const json::Node after = change.after->parse(after_tree);
  for (const char* part : {"spec", "data", "subsets"}) {
    if (!json::equal(before[part], after[part])) return false;
  }
  for (const char* part : {"labels", "annotations", "deletionTimestamp"}) {
    if (!json::equal(before["metadata"][part], after["metadata"][part])) return false;
  }
  return true;
}

class SaveJob final : public port::Job {
 public:
  SaveJob(port::Disk& disk, std::string path, std::string text)
      : disk_(disk),
        path_(std::move(path)),
        text_(std::move(text)) {}
  void run() override { written_ = disk_.replace_file(path_, text_, 0600); }
  void done() override {
    if (!written_) LOG(kError, "client: memory not written", kv("why", written_.error().message));
  }

 private:
  port::Disk& disk_;
  std::string path_;
  std::string text_;
  Result<> written_;
};

const std::vector<const api::Kind*>& kinds_kept() {
  static const std::vector<const api::Kind*> kKinds = {
      &api::kNode,      &api::kService,          &api::kEndpointSlice,         &api::kSecret,
      &api::kConfigMap, &api::kPersistentVolume, &api::kPersistentVolumeClaim, &api::kPod};
  return kKinds;
}

}  // namespace

RemoteClient::RemoteClient(const RemotePorts& ports, RemoteOptions options)
    : ports_(ports),
      options_(std::move(options)),
      calls_(ports.clock, *this),
      retry_(ports.clock.timer(*this)),
      save_(ports.clock.timer(*this)),
      link_(ports.clock, ports.network, ports.random, *this) {
  link_.use_servers(options_.servers);
  link_.use_mark(options_.mark);
  follow({&api::kNode, {}, {}, {}, {}});
  follow({&api::kService, {}, {}, {}, {}});
  follow({&api::kEndpointSlice, {}, {}, {}, {}});
  follow({&api::kPersistentVolume, {}, {}, {}, {}});
  follow({&api::kLease, std::string(kLeases), options_.node_name, {}, kLeaseEvery});
  follow({&api::kPod, {}, {}, options_.node_name, {}});
}

RemoteClient::~RemoteClient() {
  ports_.clock.cancel_turn_end(*this);
}

void RemoteClient::follow(Selection selection) {
  Reflected& self = *this;
  base_.push_back(std::make_unique<Followed>(ports_.clock, self, std::move(selection)));
}

void RemoteClient::start(RemoteListener& listener) {
  listener_ = &listener;
  link_.start();
}

Result<> RemoteClient::remember() {
  const std::vector<api::ObjectRef> objects = TRY(read_memory(ports_.disk, options_.memory_path));
  for (const api::ObjectRef& object : objects) {
    cache_.put(object);
    if (&object->kind() != &api::kPod) continue;
    json::Tree tree;
    add_needs(object->parse(tree),
              needs_[{std::string(object->ns()), std::string(object->name())}]);
  }
  needs_changed_ = true;
  settle_needs();
  return {};
}

// --- Feeds

void RemoteClient::unsubscribe(api::Feed& feed) {
  std::erase(feeds_, &feed);
}

void RemoteClient::tell(std::optional<api::Change> change) {
  if (!change) return;
  for (size_t i = 0; i < feeds_.size(); ++i)
    feeds_[i]->on_change(*change);
  plan_save(*change);
  const api::Object& object = *change->after;
  if (&object.kind() == &api::kEndpointSlice && object.ns() == "default" &&
      object.name() == "kubernetes" && change->type != api::ChangeType::kDeleted)
    learn_servers(object);
}

void RemoteClient::learn_servers(const api::Object& slice) {
  json::Tree tree;
  const json::Node node = slice.parse(tree);
  const int64_t port = node["ports"].at(0)["port"].integer();
  std::vector<port::Endpoint> servers;
  for (const json::Node endpoint : node["endpoints"]) {
    for (const json::Node address : endpoint["addresses"]) {
      if (parse_ip4(address.string()) && port > 0 && port < 65536)
        servers.push_back({std::string(address.string()), static_cast<uint16_t>(port)});
    }
  }
  if (servers.empty()) return;
  link_.use_servers(servers);
  if (listener_ != nullptr) listener_->on_servers(servers);
}

// --- The link

void RemoteClient::on_link_up(http::Channel& channel) {
  channel_ = &channel;
  for (const auto& each : base_)
    each->reflector.run(channel);
  for (const auto& [key, each] : needed_)
    each->reflector.run(channel);
  calls_.link_up(channel);
}

void RemoteClient::on_link_down() {
  channel_ = nullptr;
  calls_.link_down();
  retry_->disarm();
}

void RemoteClient::on_stopped(Reflector&) {
  show_held();
  ports_.clock.at_turn_end(*this);
}

void RemoteClient::run_due() {
  if (channel_ == nullptr) return;
  std::optional<Mono> next;
  const auto look = [&](Reflector& reflector) {
    if (reflector.running()) return;
    if (reflector.due() <= ports_.clock.now()) return reflector.run(*channel_);
    next = next ? std::min(*next, reflector.due()) : reflector.due();
  };
  for (const auto& each : base_)
    look(each->reflector);
  for (const auto& [key, each] : needed_)
    look(each->reflector);
  if (next) retry_->arm(*next);
}

void RemoteClient::on_alarm(port::Timer& timer) {
  if (&timer == save_.get()) return save();
  run_due();
}

void RemoteClient::on_turn_end() {
  settle_needs();
  run_due();
  if (complete_ || listener_ == nullptr || !held_.empty()) return;
  complete_ = std::all_of(base_.begin(), base_.end(),
                          [](const auto& each) { return each->reflector.complete(); });
  if (complete_) listener_->on_complete();
}

// --- What reflectors tell

RemoteClient::Followed& RemoteClient::followed_of(const Reflector& reflector) {
  for (const auto& each : base_) {
    if (&each->reflector == &reflector) return *each;
  }
  const Selection& selection = reflector.selection();
  return *needed_.find({selection.kind, selection.ns, selection.name})->second;
}

void RemoteClient::on_list_begins(Reflector& from) {
  followed_of(from).seen.clear();
}

void RemoteClient::on_object(Reflector& from, api::ObjectRef object) {
  followed_of(from).seen.insert({std::string(object->ns()), std::string(object->name())});
  if (&object->kind() == &api::kPod) return take_pod(std::move(object));
  if (&object->kind() == &api::kNode && object->name() != options_.node_name)
    object = slim_node(object);
  tell(cache_.put(object));
}

void RemoteClient::on_gone(Reflector&, const api::Object& last) {
  const Name name{std::string(last.ns()), std::string(last.name())};
  if (&last.kind() == &api::kPod) {
    held_.erase(name);
    needs_.erase(name);
    needs_changed_ = true;
    ports_.clock.at_turn_end(*this);
  }
  tell(cache_.remove({&last.kind(), name.first, name.second}, last.version()));
}

void RemoteClient::on_list_complete(Reflector& from, uint64_t version) {
  forget_all_but(from, version);
  show_held();
  ports_.clock.at_turn_end(*this);
}

void RemoteClient::forget_all_but(Reflector& from, uint64_t version) {
  Followed& followed = followed_of(from);
  const Selection& selection = from.selection();
  std::vector<api::ObjectRef> gone;
  api::for_each(cache_, *selection.kind, selection.ns, [&](const api::ObjectRef& object) {
    const Name name{std::string(object->ns()), std::string(object->name())};
    if (selection.covers(*object) && !followed.seen.contains(name)) gone.push_back(object);
  });
  std::erase_if(held_, [&](const auto& pod) {
    return selection.kind == &api::kPod && !followed.seen.contains(pod.first);
  });
  followed.seen.clear();
  for (const api::ObjectRef& object : gone) {
    if (&object->kind() == &api::kPod) {
      needs_.erase({std::string(object->ns()), std::string(object->name())});
      needs_changed_ = true;
    }
    // A read that found nothing has no version of its own.
    const uint64_t until = selection.every.ns > 0 ? 0 : version;
    tell(cache_.remove({&object->kind(), std::string(object->ns()), std::string(object->name())},
                       until));
  }
}

// --- Pods and what they name

void RemoteClient::take_pod(api::ObjectRef pod) {
  const Name name{std::string(pod->ns()), std::string(pod->name())};
  std::set<api::Key> needs;
  {
    json::Tree tree;
    add_needs(pod->parse(tree), needs);
  }
  std::set<api::Key>& known = needs_[name];
  if (known != needs) {
    known = std::move(needs);
    needs_changed_ = true;
    settle_needs();
  }
  const bool shown = static_cast<bool>(cache_.get(api::kPod, name.first, name.second));
  if (shown || may_show(known)) {
    held_.erase(name);
    return tell(cache_.put(pod));
  }
  held_[name] = std::move(pod);
}

bool RemoteClient::may_show(const std::set<api::Key>& needs) const {
  return std::all_of(needs.begin(), needs.end(), [this](const api::Key& key) {
    const auto found = needed_.find(key);
    return found != needed_.end() && found->second->reflector.answered();
  });
}

void RemoteClient::show_held() {
  std::vector<api::ObjectRef> ready;
  for (const auto& [name, pod] : held_) {
    if (may_show(needs_[name])) ready.push_back(pod);
  }
  for (const api::ObjectRef& pod : ready) {
    held_.erase({std::string(pod->ns()), std::string(pod->name())});
    tell(cache_.put(pod));
  }
}

void RemoteClient::settle_needs() {
  if (!needs_changed_) return;
  needs_changed_ = false;
  std::set<api::Key> wanted;
  for (const auto& [pod, needs] : needs_)
    wanted.insert(needs.begin(), needs.end());
  for (auto at = needed_.begin(); at != needed_.end();) {
    if (wanted.contains(at->first)) {
      ++at;
      continue;
    }
    if (channel_ != nullptr) at->second->reflector.forget(*channel_);
    cache_.remove(at->first, 0);
    at = needed_.erase(at);
  }
  for (const api::Key& key : wanted) {
    if (needed_.contains(key)) continue;
    Reflected& self = *this;
    const bool beyond = base_.size() + needed_.size() >= kWatchesMax;
    auto made = std::make_unique<Followed>(
        ports_.clock, self,
        Selection{key.kind, key.ns, key.name, {}, beyond ? kListedEvery : Duration{}});
    Reflector& reflector = made->reflector;
    needed_.emplace(key, std::move(made));
    if (channel_ != nullptr) reflector.run(*channel_);
  }
}

// --- What writes tell

// Only where the watch has not gone past it: what the watch has shown since may be its deletion.
void RemoteClient::on_stored(const api::ObjectRef& object) {
  if (object->version() == 0) return;
  for (const auto& each : base_) {
    const Selection& selection = each->reflector.selection();
    if (!selection.covers(*object)) continue;
    if (&object->kind() == &api::kNode && object->name() != options_.node_name) return;
    if (&object->kind() == &api::kPod && !cache_.get(api::kPod, object->ns(), object->name()))
      return;
    if (object->version() > each->reflector.version()) tell(cache_.put(object));
    return;
  }
}

void RemoteClient::on_absent(const api::Key& key) {
  if (key.kind == &api::kLease) tell(cache_.remove(key, 0));
}

// --- Memory

void RemoteClient::plan_save(const api::Change& change) {
  const api::Kind& kind = change.after->kind();
  if (&kind == &api::kLease) return;
  const bool soon = &kind == &api::kPod || &kind == &api::kSecret || &kind == &api::kConfigMap ||
                    &kind == &api::kPersistentVolumeClaim ||
                    (&kind == &api::kNode && change.after->name() == options_.node_name);
  if (&kind == &api::kPod || &kind == &api::kNode) {
    if (is_same_work(change)) return;
  }
  const Mono at = ports_.clock.now() + (soon ? kSaveSoon : kSaveLater);
  if (soon || !save_->armed()) save_->arm(at);
}

void RemoteClient::save() {
  // Before the first list is whole it would forget what it knows.
  if (!complete_) return save_->arm(ports_.clock.now() + kSaveSoon);
  std::string text = memory_text(cache_, kinds_kept());
  const uint32_t sum = crc32c(text);
  if (sum == saved_sum_) return;
  saved_sum_ = sum;
  ports_.lane.submit(std::make_unique<SaveJob>(ports_.disk, options_.memory_path, std::move(text)));
}

}  // namespace coracle::client
