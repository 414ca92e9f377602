// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/local_storage.h"

#include <utility>

#include "api/claims.h"
#include "api/node_terms.h"
#include "base/bytes.h"
#include "base/log.h"

namespace coracle::node {

namespace {

constexpr Duration kAgain = seconds(30);

bool has_finalizer(json::Node volume) {
  for (const json::Node each : volume["metadata"]["finalizers"]) {
    if (each.string() == api::kLocalPath) return true;
  }
  return false;
}

}  // namespace

class LocalStorage::Removal final : public BoundJob {
 public:
  Removal(LocalStorage& owner, std::string name, std::string path)
      : BoundJob(owner.jobs_),
        owner_(owner),
        disk_(owner.ports_.disk),
        name_(std::move(name)),
        path_(std::move(path)) {}
  void run() override { outcome_ = disk_.remove_tree(path_); }

 private:
  void finished() override { owner_.removed(name_, outcome_); }

  LocalStorage& owner_;
  port::Disk& disk_;
  std::string name_;
  std::string path_;
  Result<> outcome_;
};

LocalStorage::LocalStorage(api::Client& client,
                           const StoragePorts& ports,
                           api::EventRecorder& events,
                           std::string node_name,
                           std::string directory)
    : client_(client),
      ports_(ports),
      events_(events),
      node_name_(std::move(node_name)),
      directory_(std::move(directory)),
      timer_(ports.clock.timer(*this)) {}

void LocalStorage::look_at_all() {
  api::for_each(client_.state(), api::kPersistentVolume, {},
                [this](const api::ObjectRef& volume) { look(volume); });
}

// Volumes that are to be kept lose the finalizer by their controller, with all that lies in them.
bool LocalStorage::is_mine(json::Node volume) const {
  const json::Node spec = volume["spec"];
  if (spec["persistentVolumeReclaimPolicy"].string() != "Delete" || !has_finalizer(volume) ||
      volume["status"]["phase"].string() == "Bound")
    return false;
  const api::ObjectRef node = client_.state().get(api::kNode, {}, node_name_);
  json::Tree tree;
  return node && api::any_term_matches(spec["nodeAffinity"]["required"]["nodeSelectorTerms"],
                                       node->parse(tree));
}

void LocalStorage::look(const api::ObjectRef& volume) {
  const std::string name(volume->name());
  if (!volume->deleting() || under_way_.contains(name)) return;
  json::Tree tree;
  const json::Node root = volume->parse(tree);
  if (!is_mine(root)) return;
  std::string path(root["spec"]["local"]["path"].string());
  if (path != join({directory_, "/", name}) || name.find('/') != std::string::npos)
    return events_.warning(*volume, "VolumeFailedDelete",
                           join({"\"", path, "\" does not lie in ", directory_, " of node ",
                                 node_name_, " under the volume's name"}));
  under_way_.insert(name);
  ports_.lane.submit(std::make_unique<Removal>(*this, name, std::move(path)));
}

void LocalStorage::removed(const std::string& name, const Result<>& outcome) {
  if (outcome) return release(name);
  under_way_.erase(name);
  const api::ObjectRef volume = client_.state().get(api::kPersistentVolume, {}, name);
  if (volume) events_.warning(*volume, "VolumeFailedDelete", outcome.error().message);
  timer_->arm(ports_.clock.now() + kAgain);
}

void LocalStorage::release(const std::string& name) {
  const api::ObjectRef volume = client_.state().get(api::kPersistentVolume, {}, name);
  if (!volume) {
    under_way_.erase(name);
    return;
  }
  json::Tree tree;
  json::Tree patch_tree;
  const json::Node patch = patch_tree.make_object();
  const json::Node left = patch.object("metadata").array("finalizers");
  for (const json::Node each : volume->parse(tree)["metadata"]["finalizers"]) {
    if (each.string() != api::kLocalPath) left.append(each.string());
  }
  api::Call call;
  call.verb = api::CallVerb::kMergePatch;
  call.key = {&api::kPersistentVolume, {}, name};
  call.body = json::write(patch);
  call.expected_version = volume->version();
  client_.submit(std::move(call), *this, 0);
}

// One at a time would do as well; whatever was refused is looked at again.
void LocalStorage::on_answer(uint64_t, Result<api::ObjectRef> answer) {
  if (answer) {
    if (*answer) under_way_.erase(std::string((*answer)->name()));
    return;
  }
  under_way_.clear();
  if (answer.error().code != Code::kConflict && answer.error().code != Code::kNotFound)
    LOG(kWarn, "node: volume not released", kv("why", answer.error().message));
  timer_->arm(ports_.clock.now() + (answer.error().code == Code::kConflict ? seconds(1) : kAgain));
}

void LocalStorage::on_alarm(port::Timer&) {
  look_at_all();
}

}  // namespace coracle::node
