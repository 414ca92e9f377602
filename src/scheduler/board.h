// SPDX-License-Identifier: GPL-2.0-or-later
// What the scheduler knows of the cluster: what nodes offer and which pods use them.
//
// Pods that ask for the same and carry the same labels share one Shape, read once; a Shape counts
// how many of its pods run on each node. What pods demand of other pods is then answered by
// comparing Shapes, not pods.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/client.h"
#include "scheduler/needs.h"

namespace coracle::scheduler {

struct PodName {
  std::string ns;
  std::string name;
  friend auto operator<=>(const PodName&, const PodName&) = default;
};

struct AreaHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

struct Shape {
  struct Count {
    uint32_t all = 0;
    uint32_t deleting = 0;
    uint32_t live() const { return all - deleting; }
  };
  std::string ns;
  std::unique_ptr<json::Tree> tree;
  json::Node labels;  // inside tree
  PodNeeds needs;
  std::string controller;                      // "ReplicaSet/web" or empty
  std::unordered_map<uint32_t, Count> counts;  // by node id
  // The same by value of a topology label; made when first asked for, then kept (Board::areas_of).
  using Areas = std::unordered_map<std::string, Count, AreaHash, std::equal_to<>>;
  mutable std::map<std::string, Areas, std::less<>> areas;
  uint32_t pods = 0;
  uint32_t held = 0;  // by others than placed pods: keeps it from being swept
};

struct Placed;

struct BoardNode {
  NodeOffer offer;
  uint32_t id = 0;
  std::vector<const Placed*> pods;
};

struct Placed {  // a pod that uses a node, bound or being bound
  PodName name;
  std::string node;
  Shape* shape = nullptr;
  std::string started;  // status.startTime or creation
  bool deleting = false;
};

class Board {
 public:
  // `state` answers questions about namespaces and owners; may be null.
  explicit Board(const api::State* state = nullptr) : state_(state) {}
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  void set_node(NodeOffer offer);  // what is in use is kept
  void remove_node(const std::string& name);
  void clear();
  Shape& shape_of(json::Node pod);
  void place(Placed pod);  // again: moves it
  // False: it was not placed.
  bool release(const PodName& pod);

  const BoardNode* node(std::string_view name) const;
  const BoardNode& node_by_id(uint32_t id) const { return *by_id_.find(id)->second; }
  // By name, but zones take turns, so that any stretch of it holds nodes of all zones.
  const std::vector<BoardNode*>& nodes() const { return order_; }
  const Placed* placed(const PodName& pod) const;
  const std::map<std::string, std::unique_ptr<Shape>, std::less<>>& shapes() const {
    return shapes_;
  }
  // Of `pods` in the namespace.
  const std::vector<Shape*>& shapes_in(std::string_view ns) const;
  // How many pods of the shape are in each area of the topology key.
  const Shape::Areas& areas_of(const Shape& shape, std::string_view key) const;
  // Areas of the key, and how many nodes have it at all.
  struct Map {
    std::vector<std::string> areas;
    size_t nodes = 0;
  };
  const Map& map_of(std::string_view key) const;
  // What was counted by area is counted anew if it has become much. Not while a Survey lives.
  void tidy();
  uint32_t nodes_with_image(const std::string& image) const;
  // Selectors of what the pod belongs to: its controller and the Services that select it.
  std::vector<api::LabelSelector> family_selectors(const Shape& shape) const;
  const api::State* state() const { return state_; }
  // Any pod demands to be away from others (required podAntiAffinity).
  bool has_aloof_pods() const { return aloof_pods_ > 0; }
  // Any pod has affinity or anti-affinity at all.
  bool has_choosy_pods() const { return choosy_pods_ > 0; }

 private:
  void count(const Placed& pod, int by);
  void forget_areas();
  void reorder();
  void sweep();

  const api::State* state_;
  std::map<std::string, BoardNode, std::less<>> nodes_;
  std::unordered_map<uint32_t, BoardNode*> by_id_;
  std::vector<BoardNode*> order_;
  std::map<PodName, Placed> placed_;
  std::map<std::string, std::unique_ptr<Shape>, std::less<>>
      shapes_;  // by what they were read from
  std::map<std::string, std::vector<Shape*>, std::less<>> by_ns_;
  std::map<std::string, uint32_t, std::less<>> images_;
  mutable std::map<std::string, Map, std::less<>> maps_;
  mutable size_t area_lists_ = 0;
  uint32_t next_id_ = 1;
  size_t sweep_at_ = 256;
  size_t aloof_pods_ = 0;
  size_t choosy_pods_ = 0;
};

}  // namespace coracle::scheduler
