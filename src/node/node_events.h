// SPDX-License-Identifier: GPL-2.0-or-later
// Events about the own Node, as upstream pkg/kubelet (setters, kubelet_node_status.go): the agent
// started, the machine was rebooted, a condition turned.
#pragma once

#include <map>
#include <string>

#include "api/event_recorder.h"
#include "api/object.h"
#include "json/tree.h"

namespace coracle::node {

class NodeEvents {
 public:
  NodeEvents(api::EventRecorder& events, std::string node_name)
      : events_(events),
        node_name_(std::move(node_name)) {}

  // Before `wanted` becomes the status of `node`; each turn is told of once.
  void look(const api::Object& node, json::Node stored, json::Node wanted);
  void short_of(const api::Object& node, std::string_view resource);

 private:
  void tell(const api::Object& node, std::string_view reason);

  api::EventRecorder& events_;
  const std::string node_name_;
  std::map<std::string, std::string, std::less<>> told_;  // status by condition
  bool started_ = false;
};

}  // namespace coracle::node
