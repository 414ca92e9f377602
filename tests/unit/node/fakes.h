// SPDX-License-Identifier: GPL-2.0-or-later
// A cluster in memory that answers like the API server as far as an agent can tell, and sandboxes
// whose containers run when a test says so.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/client.h"
#include "api/kind.h"
#include "json/merge.h"
#include "port/clock.h"
#include "port/links.h"
#include "port/sandbox.h"

namespace coracle::node {

class FakeCluster final : public api::Client, api::State, port::TurnEnd {
 public:
  explicit FakeCluster(port::Clock& clock) : clock_(clock) {}
  ~FakeCluster() { clock_.cancel_turn_end(*this); }

  // As a user: creates or replaces, from YAML.
  api::ObjectRef put(const api::Kind& kind, std::string_view yaml) {
    json::Tree tree;
    const Result<json::Node> parsed = tree.parse_yaml(yaml);
    ASSERT(parsed);
    return store(kind, *parsed);
  }
  // kubectl delete: marks the object, or removes it when grace is 0.
  void remove(const api::Kind& kind, std::string_view ns, std::string_view name, int64_t grace) {
    const std::string key = api::storage_key(kind, ns, name);
    const api::ObjectRef old = objects_[key];
    ASSERT(old);
    if (grace == 0) {
      objects_.erase(key);
      ++version_;
      return tell(api::ChangeType::kDeleted, old, old);
    }
    json::Tree tree;
    const json::Node root = old->parse(tree);
    root["metadata"].set("deletionTimestamp", rfc3339(clock_.wall()));
    root["metadata"].set("deletionGracePeriodSeconds", grace);
    store(kind, root);
  }

  // As if this client did not know the object yet.
  api::ObjectRef hide(const api::Kind& kind, std::string_view ns, std::string_view name) {
    const std::string key = api::storage_key(kind, ns, name);
    api::ObjectRef hidden = objects_[key];
    objects_.erase(key);
    return hidden;
  }
  void show(const api::ObjectRef& object) {
    objects_[api::storage_key(object->kind(), object->ns(), object->name())] = object;
    tell(api::ChangeType::kAdded, {}, object);
  }

  const api::State& state() const override { return *this; }
  void subscribe(api::Feed& feed) override { feeds_.push_back(&feed); }
  void unsubscribe(api::Feed& feed) override { std::erase(feeds_, &feed); }
  void submit(api::Call call, api::Caller& caller, uint64_t token) override {
    calls_.push_back({std::move(call), &caller, token});
    clock_.at_turn_end(*this);
  }
  void forget(api::Caller& caller) override {
    for (Pending& pending : calls_) {
      if (pending.caller == &caller) pending.caller = nullptr;
    }
  }

  api::ObjectRef get(const api::Kind& kind,
                     std::string_view ns,
                     std::string_view name) const override {
    const auto at = objects_.find(api::storage_key(kind, ns, name));
    return at == objects_.end() ? api::ObjectRef() : at->second;
  }
  void list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const override {
    const auto copy = objects_;
    for (const auto& [key, object] : copy) {
      if (&object->kind() == &kind && (ns.empty() || object->ns() == ns) && !visitor.visit(object))
        return;
    }
  }
  void list_owned_by(std::string_view, api::Visitor&) const override {}
  uint64_t version() const override { return version_; }

  size_t statuses_written = 0;
  std::vector<std::string> events;  // "Reason: message"

 private:
  struct Pending {
    api::Call call;
    api::Caller* caller;
    uint64_t token;
  };

  api::ObjectRef store(const api::Kind& kind, json::Node root) {
    const json::Node meta = root.object("metadata");
    const std::string key =
        api::storage_key(kind, meta["namespace"].string(), meta["name"].string());
    const api::ObjectRef before = objects_[key];
    if (before && !meta["uid"]) meta.set("uid", before->uid());
    if (!meta["uid"]) meta.set("uid", "uid-" + std::to_string(++version_));
    Result<api::ObjectRef> sealed = api::seal(kind, root, ++version_);
    ASSERT(sealed);
    objects_[key] = *sealed;
    tell(before ? api::ChangeType::kModified : api::ChangeType::kAdded, before, *sealed);
    return *sealed;
  }
  void tell(api::ChangeType type, const api::ObjectRef& before, const api::ObjectRef& after) {
    const api::Change change{type, version_, before, after};
    const std::vector<api::Feed*> feeds = feeds_;
    for (api::Feed* feed : feeds)
      feed->on_change(change);
  }
  void on_turn_end() override {
    std::vector<Pending> calls;
    calls.swap(calls_);
    for (Pending& pending : calls) {
      Result<api::ObjectRef> answer = run(pending.call);
      if (pending.caller != nullptr) pending.caller->on_answer(pending.token, std::move(answer));
    }
  }
  Result<api::ObjectRef> run(const api::Call& call) {
    json::Tree body_tree;
    const Result<json::Node> body =
        call.body.empty() ? Result<json::Node>(json::Node()) : body_tree.parse(call.body);
    if (!body) return body.error();
    const api::Key& key = call.key;
    if (call.subresource == api::Subresource::kToken) return token_answer();
    if (key.kind == &api::kEvent && call.verb == api::CallVerb::kCreate)
      events.push_back(std::string((*body)["reason"].string()) + ": " +
                       std::string((*body)["message"].string()));
    const api::ObjectRef old = get(*key.kind, key.ns, key.name);
    if (call.verb == api::CallVerb::kCreate) {
      if (old) return fail(Code::kAlreadyExists, "already exists");
      if (!key.ns.empty()) (*body).object("metadata").set("namespace", std::string_view(key.ns));
      if (!(*body)["metadata"]["name"])
        (*body).object("metadata").set("name", "made-" + std::to_string(version_));
      return store(*key.kind, *body);
    }
    if (!old) return fail(Code::kNotFound, "not found");
    if (!call.expected_uid.empty() && old->uid() != call.expected_uid)
      return fail(Code::kConflict, "uid");
    if (call.expected_version != 0 && old->version() != call.expected_version)
      return fail(Code::kConflict, "version");
    if (call.verb == api::CallVerb::kDelete) {
      remove(*key.kind, key.ns, key.name, call.grace_seconds.value_or(30));
      return old;
    }
    ASSERT(call.verb == api::CallVerb::kMergePatch || key.kind == &api::kEvent);
    json::Tree tree;
    const json::Node root = old->parse(tree);
    json::merge_patch(root, *body);
    if (call.subresource == api::Subresource::kStatus && key.kind == &api::kPod) ++statuses_written;
    return store(*key.kind, root);
  }
  Result<api::ObjectRef> token_answer() {
    json::Tree tree;
    const json::Node root = tree.make_object();
    root.object("metadata").set("name", "token");
    root.object("metadata").set("uid", "token");
    root.object("status").set("token", "secret-" + std::to_string(++tokens_));
    root.object("status").set("expirationTimestamp", rfc3339(clock_.wall() + seconds(3600)));
    return api::seal(api::kServiceAccount, root, 1);
  }

  port::Clock& clock_;
  std::map<std::string, api::ObjectRef> objects_;
  std::vector<api::Feed*> feeds_;
  std::vector<Pending> calls_;
  uint64_t version_ = 0;
  int tokens_ = 0;
};

class FakeLinks final : public port::Links {
 public:
  Result<> ensure_bridge(const std::string&, Cidr4) override { return {}; }
  Result<> connect_pod(const port::PodLink& pod) override {
    links[pod.host_name] = pod.address.text();
    return {};
  }
  Result<> remove_link(const std::string& name) override {
    links.erase(name);
    return {};
  }
  Result<std::vector<std::string>> links_with_prefix(const std::string& prefix) override {
    std::vector<std::string> found;
    for (const auto& [name, address] : links) {
      if (name.starts_with(prefix)) found.push_back(name);
    }
    return found;
  }
  Result<> ensure_route(Cidr4, const std::string&) override { return {}; }
  Result<> ensure_route_via(Cidr4 destination, Ip4 gateway) override {
    routes[destination.text()] = gateway.text();
    return {};
  }
  Result<std::vector<Cidr4>> routes_via_gateways() override {
    std::vector<Cidr4> found;
    for (const auto& [destination, gateway] : routes)
      found.push_back(*parse_cidr4(destination));
    return found;
  }
  Result<> remove_route(Cidr4 destination) override {
    routes.erase(destination.text());
    return {};
  }
  Result<std::vector<port::HostAddress>> addresses() override {
    return std::vector<port::HostAddress>{{"eth0", *parse_cidr4("192.168.7.2/24")}};
  }
  std::map<std::string, std::string> links;
  std::map<std::string, std::string> routes;  // gateway by destination
};

// Commands run in containers: the test looks at what was asked and ends them.
class FakeCommands {
 public:
  class Running final : public port::Command {
   public:
    Running(FakeCommands& owner, port::CommandOptions asked, port::CommandEvents& told)
        : options(std::move(asked)),
          events(told),
          owner_(owner) {}
    ~Running() override { std::erase(owner_.running, this); }
    void send(std::string bytes) override { input += bytes; }
    void close_input() override { closed = true; }
    size_t queued() const override { return 0; }
    void resize(uint16_t columns, uint16_t rows) override {
      size = std::to_string(columns) + "x" + std::to_string(rows);
    }
    void pause_output(bool now) override { paused = now; }

    const port::CommandOptions options;
    port::CommandEvents& events;
    std::string input;
    std::string size;
    bool closed = false;
    bool paused = false;

   private:
    FakeCommands& owner_;
  };
  Result<std::unique_ptr<port::Command>> run(const port::CommandOptions& options,
                                             port::CommandEvents& events) {
    auto command = std::make_unique<Running>(*this, options, events);
    running.push_back(command.get());
    count++;
    return std::unique_ptr<port::Command>(std::move(command));
  }

  std::vector<Running*> running;
  int count = 0;
};

// The shims: they outlive agents. Reports are delivered by deliver(), as the loop would.
class FakeSandboxes final : public port::Sandboxes {
 public:
  struct Shim {
    port::SandboxOptions options;
    std::vector<port::ContainerStart> starts;
    std::map<std::string, port::ContainerRecord> containers;
    std::vector<std::string> orders;  // "signal web-0 15", "kill web-0", "forget web-0", "end"
    port::SandboxEvents* events = nullptr;
    bool over = false;
  };

  explicit FakeSandboxes(port::Clock& clock) : clock_(clock) {}
  Result<std::unique_ptr<port::Sandbox>> create(const port::SandboxOptions& options,
                                                port::SandboxEvents& events) override {
    Shim& shim = shims[options.directory];
    shim = Shim{options, {}, {}, {}, &events, false};
    ready_.push_back(options.directory);
    return std::unique_ptr<port::Sandbox>(std::make_unique<Handle>(*this, options.directory));
  }
  Result<std::unique_ptr<port::Sandbox>> adopt(const std::string& directory,
                                               port::SandboxEvents& events) override {
    if (!shims.contains(directory) || shims[directory].over)
      return fail(Code::kNotFound, "no shim");
    shims[directory].events = &events;
    ready_.push_back(directory);
    for (const auto& [id, record] : shims[directory].containers)
      reports_.push_back({directory, record});
    return std::unique_ptr<port::Sandbox>(std::make_unique<Handle>(*this, directory));
  }

  // From outside the agent: true if anything was said.
  bool deliver() {
    const auto ready = std::move(ready_);
    ready_.clear();
    for (const std::string& directory : ready) {
      if (shims[directory].events != nullptr) shims[directory].events->on_ready();
    }
    const auto reports = std::move(reports_);
    reports_.clear();
    for (const auto& [directory, record] : reports) {
      if (shims[directory].events != nullptr) shims[directory].events->on_container(record);
    }
    const auto lost = std::move(lost_);
    lost_.clear();
    for (const std::string& directory : lost) {
      shims[directory].over = true;
      if (shims[directory].events != nullptr) shims[directory].events->on_lost("ended");
    }
    return !ready.empty() || !reports.empty() || !lost.empty();
  }
  Shim& only() {
    ASSERT(shims.size() == 1);
    return shims.begin()->second;
  }
  void exit(const std::string& id, int code) {
    for (auto& [directory, shim] : shims) {
      const auto at = shim.containers.find(id);
      if (at == shim.containers.end()) continue;
      at->second.phase = port::ContainerPhase::kExited;
      at->second.exit_code = code;
      at->second.finished = clock_.wall();
      reports_.push_back({directory, at->second});
    }
  }
  void lose(const std::string& directory) { lost_.push_back(directory); }

  std::map<std::string, Shim> shims;
  FakeCommands commands;
  port::Network* network = nullptr;  // what connect() of sandboxes uses
  std::string refuse_start;          // not empty: starts fail with this message

 private:
  class Handle final : public port::Sandbox {
   public:
    Handle(FakeSandboxes& owner, std::string directory)
        : owner_(owner),
          directory_(std::move(directory)) {}
    ~Handle() override { shim().events = nullptr; }
    int64_t pid() const override { return 4711; }
    void start(const port::ContainerStart& container) override {
      shim().starts.push_back(container);
      port::ContainerRecord record;
      record.id = container.id;
      record.phase = owner_.refuse_start.empty() ? port::ContainerPhase::kRunning
                                                 : port::ContainerPhase::kFailedToStart;
      record.message = owner_.refuse_start;
      record.pid = 1000;
      if (owner_.refuse_start.empty()) record.started = owner_.clock_.wall();  // as the shim does
      shim().containers[container.id] = record;
      owner_.reports_.push_back({directory_, record});
    }
    void signal(const std::string& id, int signal) override {
      shim().orders.push_back("signal " + id + " " + std::to_string(signal));
    }
    void kill(const std::string& id) override {
      shim().orders.push_back("kill " + id);
      owner_.exit(id, 137);
    }
    void forget(const std::string& id) override {
      shim().orders.push_back("forget " + id);
      shim().containers.erase(id);
    }
    Result<std::unique_ptr<port::Command>> run(const port::CommandOptions& options,
                                               port::CommandEvents& events) override {
      return owner_.commands.run(options, events);
    }
    Result<std::unique_ptr<port::Command>> attach(const std::string& id,
                                                  bool input,
                                                  port::CommandEvents& events) override {
      return owner_.commands.run({id, "", input, false}, events);
    }
    std::unique_ptr<port::Stream> connect(const port::Endpoint& to,
                                          port::StreamEvents& events) override {
      return owner_.network != nullptr ? owner_.network->connect(to, events) : nullptr;
    }
    void end() override {
      shim().orders.push_back("end");
      owner_.lost_.push_back(directory_);
    }

   private:
    Shim& shim() { return owner_.shims[directory_]; }
    FakeSandboxes& owner_;
    std::string directory_;
  };

  port::Clock& clock_;
  std::vector<std::string> ready_;
  std::vector<std::pair<std::string, port::ContainerRecord>> reports_;
  std::vector<std::string> lost_;
};

}  // namespace coracle::node
