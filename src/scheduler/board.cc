// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/board.h"

#include <algorithm>

#include "api/claims.h"
#include "base/bytes.h"

namespace coracle::scheduler {

namespace {

constexpr std::string_view kZone = "topology.kubernetes.io/zone";

json::Node controller_of(json::Node pod) {
  for (const json::Node reference : pod["metadata"]["ownerReferences"]) {
    if (reference["controller"].boolean()) return reference;
  }
  return {};
}

// All of a pod that decides where it may run. Pods for which this is equal are of one shape.
std::string shape_key(json::Node pod, std::string_view controller) {
  const json::Node spec = pod["spec"];
  std::string key = join({pod["metadata"]["namespace"].string(), "\n", controller, "\n",
                          std::to_string(spec["priority"].integer()), "\n",
                          spec["preemptionPolicy"].string(), "\n"});
  const auto add = [&key](json::Node node) {
    if (node) json::write_to(key, node);
    key += '\n';
  };
  add(pod["metadata"]["labels"]);
  for (const char* list : {"containers", "initContainers"}) {
    for (const json::Node container : spec[list]) {
      add(container["resources"]);
      add(container["ports"]);
      key += join({container["image"].string(), "\n", container["restartPolicy"].string(), "\n"});
    }
    key += '\n';
  }
  for (const char* field : {"nodeSelector", "affinity", "tolerations", "topologySpreadConstraints",
                            "overhead", "resources"})
    add(spec[field]);
  for (const std::string& claim : api::claims_of(pod))
    key += join({claim, "\n"});
  return key;
}

void use(NodeOffer& node, const PodNeeds& needs) {
  node.used.add(needs.requests);
  node.scored.add(needs.scored);
  node.ports.insert(node.ports.end(), needs.ports.begin(), needs.ports.end());
  ++node.pods;
}

void give_back(NodeOffer& node, const PodNeeds& needs) {
  node.used.subtract(needs.requests);
  node.scored.subtract(needs.scored);
  --node.pods;
  for (const HostPort& port : needs.ports) {
    const auto taken = std::find_if(node.ports.begin(), node.ports.end(), [&](const HostPort& p) {
      return p.port == port.port && p.protocol == port.protocol && p.address == port.address;
    });
    if (taken != node.ports.end()) node.ports.erase(taken);
  }
}

bool is_aloof(const PodNeeds& needs) {
  return !needs.far.empty();
}

bool is_choosy(const PodNeeds& needs) {
  return !needs.far.empty() || !needs.near.empty() || !needs.liked.empty() ||
         !needs.disliked.empty();
}

}  // namespace

void Board::set_node(NodeOffer offer) {
  const auto [found, is_new] = nodes_.try_emplace(offer.name);
  BoardNode& node = found->second;
  for (const auto& [image, bytes] : node.offer.images) {
    if (const auto known = images_.find(image); known != images_.end() && --known->second == 0)
      images_.erase(known);
  }
  for (const auto& [image, bytes] : offer.images)
    ++images_[image];
  const std::string* zone = node.offer.label(kZone);
  const std::string old_zone = zone == nullptr ? "" : *zone;
  if (is_new) maps_.clear();
  if (!is_new && node.offer.labels != offer.labels) forget_areas();
  offer.used = std::move(node.offer.used);
  offer.scored = std::move(node.offer.scored);
  offer.ports = std::move(node.offer.ports);
  offer.pods = node.offer.pods;
  node.offer = std::move(offer);
  if (is_new) {
    node.id = next_id_++;
    by_id_[node.id] = &node;
    // Pods bound to a node that was not known yet count from now on.
    for (const auto& [name, pod] : placed_) {
      if (pod.node == node.offer.name) count(pod, 1);
    }
  }
  zone = node.offer.label(kZone);
  if (is_new || old_zone != (zone == nullptr ? "" : *zone)) reorder();
}

void Board::remove_node(const std::string& name) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return;
  for (const auto& [pod_name, pod] : placed_) {
    if (pod.node == name) count(pod, -1);
  }
  for (const auto& [image, bytes] : found->second.offer.images) {
    if (const auto known = images_.find(image); known != images_.end() && --known->second == 0)
      images_.erase(known);
  }
  maps_.clear();
  by_id_.erase(found->second.id);
  nodes_.erase(found);
  reorder();
}

void Board::clear() {
  nodes_.clear();
  by_id_.clear();
  order_.clear();
  placed_.clear();
  by_ns_.clear();
  shapes_.clear();
  images_.clear();
  maps_.clear();
  area_lists_ = 0;
  aloof_pods_ = choosy_pods_ = 0;
}

void Board::reorder() {
  std::map<std::string, std::vector<BoardNode*>> zones;
  for (auto& [name, node] : nodes_) {
    const std::string* zone = node.offer.label(kZone);
    zones[zone == nullptr ? std::string() : *zone].push_back(&node);
  }
  order_.clear();
  order_.reserve(nodes_.size());
  for (size_t round = 0; order_.size() < nodes_.size(); ++round) {
    for (const auto& [zone, members] : zones) {
      if (round < members.size()) order_.push_back(members[round]);
    }
  }
}

Shape& Board::shape_of(json::Node pod) {
  const json::Node owner = controller_of(pod);
  const std::string controller =
      owner ? join({owner["kind"].string(), "/", owner["name"].string()}) : std::string();
  std::string key = shape_key(pod, controller);
  if (const auto known = shapes_.find(key); known != shapes_.end()) return *known->second;
  if (shapes_.size() >= sweep_at_) sweep();
  auto shape = std::make_unique<Shape>();
  shape->ns = std::string(pod["metadata"]["namespace"].string());
  shape->controller = controller;
  shape->tree = std::make_unique<json::Tree>();
  const json::Node root = shape->tree->make_object();
  root.set("labels", pod["metadata"]["labels"]);
  shape->labels = root["labels"];
  shape->needs = read_needs(pod);
  shape->needs.node_name.clear();  // where it is, once it is placed
  Shape& made = *shape;
  by_ns_[made.ns].push_back(&made);
  shapes_.emplace(std::move(key), std::move(shape));
  return made;
}

// Shapes that no pod has are kept for the next pod that is like them, but not for ever.
void Board::sweep() {
  for (auto it = shapes_.begin(); it != shapes_.end();) {
    Shape& shape = *it->second;
    if (shape.pods + shape.held > 0) {
      ++it;
      continue;
    }
    std::vector<Shape*>& siblings = by_ns_[shape.ns];
    std::erase(siblings, &shape);
    if (siblings.empty()) by_ns_.erase(shape.ns);
    it = shapes_.erase(it);
  }
  sweep_at_ = 2 * shapes_.size() + 256;
}

void Board::forget_areas() {
  for (const auto& [key, shape] : shapes_)
    shape->areas.clear();
  maps_.clear();
  area_lists_ = 0;
}

void Board::tidy() {
  constexpr size_t kAreaListsMax = 4096;
  constexpr size_t kMapsMax = 64;
  if (area_lists_ > kAreaListsMax || maps_.size() > kMapsMax) forget_areas();
}

const Shape::Areas& Board::areas_of(const Shape& shape, std::string_view key) const {
  if (const auto known = shape.areas.find(key); known != shape.areas.end()) return known->second;
  Shape::Areas& areas = shape.areas[std::string(key)];
  ++area_lists_;
  for (const auto& [id, count] : shape.counts) {
    const std::string* area = node_by_id(id).offer.label(key);
    if (area == nullptr) continue;
    Shape::Count& sum = areas[*area];
    sum.all += count.all;
    sum.deleting += count.deleting;
  }
  return areas;
}

const Board::Map& Board::map_of(std::string_view key) const {
  if (const auto known = maps_.find(key); known != maps_.end()) return known->second;
  Map& map = maps_[std::string(key)];
  for (const BoardNode* node : order_) {
    const std::string* area = node->offer.label(key);
    if (area == nullptr) continue;
    ++map.nodes;
    map.areas.push_back(*area);
  }
  std::sort(map.areas.begin(), map.areas.end());
  map.areas.erase(std::unique(map.areas.begin(), map.areas.end()), map.areas.end());
  return map;
}

void Board::count(const Placed& pod, int by) {
  const auto found = nodes_.find(pod.node);
  if (found == nodes_.end()) return;
  BoardNode& node = found->second;
  Shape::Count& count = pod.shape->counts[node.id];
  for (auto& [key, areas] : pod.shape->areas) {
    const std::string* label = node.offer.label(key);
    if (label == nullptr) continue;
    Shape::Count& area = areas[*label];
    area.all += static_cast<uint32_t>(by);
    area.deleting += pod.deleting ? static_cast<uint32_t>(by) : 0;
    if (area.all == 0) areas.erase(*label);
  }
  const PodNeeds& needs = pod.shape->needs;
  if (by > 0) {
    ++count.all;
    count.deleting += pod.deleting ? 1 : 0;
    use(node.offer, needs);
    node.pods.push_back(&pod);
  } else {
    --count.all;
    count.deleting -= pod.deleting ? 1 : 0;
    give_back(node.offer, needs);
    std::erase(node.pods, &pod);
    if (count.all == 0) pod.shape->counts.erase(node.id);
  }
}

void Board::place(Placed pod) {
  release(pod.name);
  const auto [at, fresh] = placed_.emplace(pod.name, std::move(pod));
  Shape& shape = *at->second.shape;
  ++shape.pods;
  aloof_pods_ += is_aloof(shape.needs) ? 1 : 0;
  choosy_pods_ += is_choosy(shape.needs) ? 1 : 0;
  count(at->second, 1);
}

bool Board::release(const PodName& pod) {
  const auto found = placed_.find(pod);
  if (found == placed_.end()) return false;
  count(found->second, -1);
  Shape& shape = *found->second.shape;
  --shape.pods;
  aloof_pods_ -= is_aloof(shape.needs) ? 1 : 0;
  choosy_pods_ -= is_choosy(shape.needs) ? 1 : 0;
  placed_.erase(found);
  return true;
}

const BoardNode* Board::node(std::string_view name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : &found->second;
}

const Placed* Board::placed(const PodName& pod) const {
  const auto found = placed_.find(pod);
  return found == placed_.end() ? nullptr : &found->second;
}

const std::vector<Shape*>& Board::shapes_in(std::string_view ns) const {
  static constexpr std::vector<Shape*> kNone;
  const auto found = by_ns_.find(ns);
  return found == by_ns_.end() ? kNone : found->second;
}

uint32_t Board::nodes_with_image(const std::string& image) const {
  const auto found = images_.find(image);
  return found == images_.end() ? 0 : found->second;
}

std::vector<api::LabelSelector> Board::family_selectors(const Shape& shape) const {
  std::vector<api::LabelSelector> selectors;
  if (state_ == nullptr) return selectors;
  api::for_each(*state_, api::kService, shape.ns, [&](const api::ObjectRef& service) {
    json::Tree service_tree;
    auto selector = api::LabelSelector::from_map(service->parse(service_tree)["spec"]["selector"]);
    if (selector.matches(shape.labels)) selectors.push_back(std::move(selector));
  });
  const size_t slash = shape.controller.find('/');
  const std::string_view kind = std::string_view(shape.controller).substr(0, slash);
  if (kind == "ReplicaSet") {
    if (const auto owner = state_->get(api::kReplicaSet, shape.ns,
                                       std::string_view(shape.controller).substr(slash + 1))) {
      json::Tree owner_tree;
      selectors.push_back(
          api::LabelSelector::from_object(owner->parse(owner_tree)["spec"]["selector"]));
    }
  }
  return selectors;
}

}  // namespace coracle::scheduler
