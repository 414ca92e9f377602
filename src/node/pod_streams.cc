// SPDX-License-Identifier: GPL-2.0-or-later
// exec, attach and port-forward: the agent finds the pod, the pod its container.
#include "base/bytes.h"
#include "node/agent.h"
#include "node/command.h"
#include "node/container_start.h"

namespace coracle::node {

// --- Agent

Result<PodActor*> Agent::running(const api::Object& pod) const {
  PodActor* actor = find(pod.uid());
  if (actor == nullptr)
    return fail(Code::kNotFound, join({"pod \"", pod.name(), "\" is not known to node \"",
                                       options_.node_name, "\""}));
  return actor;
}

Result<> Agent::check(const api::Object& pod, const api::PodCommand& command) const {
  const PodActor* actor = TRY(running(pod));
  if (actor->runs(command.container)) return {};
  // upstream pkg/kubelet GetExec, GetAttach
  return fail(Code::kBadRequest, join({"container not found (\"", command.container, "\")"}));
}

Result<std::unique_ptr<port::Command>> Agent::run(const api::Object& pod,
                                                  const api::PodCommand& command,
                                                  port::CommandEvents& events) {
  PodActor* actor = TRY(running(pod));
  return command.words.empty() ? actor->attach(command, events) : actor->run(command, events);
}

Result<std::unique_ptr<port::Stream>> Agent::connect(const api::Object& pod,
                                                     const port::Endpoint& to,
                                                     port::StreamEvents& events) {
  PodActor* actor = TRY(running(pod));
  return actor->connect(to, events);
}

// --- PodActor

bool PodActor::runs(std::string_view container) const {
  const ContainerState* state = record_.find(container);
  return sandbox_ != nullptr && state != nullptr && state->run == RunState::kRunning;
}

Result<std::unique_ptr<port::Command>> PodActor::run(const api::PodCommand& command,
                                                     port::CommandEvents& events) {
  if (!runs(command.container))
    return fail(Code::kBadRequest, join({"container not found (\"", command.container, "\")"}));
  port::CommandOptions options;
  options.id = record_.find(command.container)->id();
  options.process =
      TRY(joining_process(around_.ports.disk, bundle_path(around_, record_.uid, options.id),
                          command.words, command.terminal));
  options.input = command.input;
  options.terminal = command.terminal;
  return sandbox_->run(options, events);
}

// For probes and hooks; a container that is still at its postStart hook is run in all the same.
Result<std::unique_ptr<port::Command>> PodActor::run_in(size_t container,
                                                        const std::vector<std::string>& words,
                                                        port::CommandEvents& events) {
  if (sandbox_ == nullptr || container >= record_.containers.size())
    return fail(Code::kUnavailable, "the container does not run");
  port::CommandOptions options;
  options.id = record_.containers[container].id();
  options.process = TRY(joining_process(
      around_.ports.disk, bundle_path(around_, record_.uid, options.id), words, false));
  return sandbox_->run(options, events);
}

Result<std::unique_ptr<port::Command>> PodActor::attach(const api::PodCommand& command,
                                                        port::CommandEvents& events) {
  if (!runs(command.container) || !pod_)
    return fail(Code::kBadRequest, join({"container not found (\"", command.container, "\")"}));
  json::Tree tree;
  json::Node spec;
  for (const ContainerSpec& each : containers_of(pod_->parse(tree))) {
    if (each.name() == command.container) spec = each.node;
  }
  const bool input = command.input && spec["stdin"].boolean();
  const std::string id = record_.find(command.container)->id();
  return attached(TRY(sandbox_->attach(id, input, events)), input && spec["stdinOnce"].boolean());
}

Result<std::unique_ptr<port::Stream>> PodActor::connect(const port::Endpoint& to,
                                                        port::StreamEvents& events) {
  if (sandbox_ == nullptr || record_.phase != Phase::kRunning)
    return fail(Code::kBadRequest, join({"sandbox of pod ", record_.name, " is not running"}));
  return sandbox_->connect(to, events);
}

}  // namespace coracle::node
