// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/slice_index.h"

#include "json/tree.h"

namespace coracle::proxy {
namespace {

constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";

ServiceName service_of(const api::Object& slice) {
  json::Tree tree;
  const json::Node label = slice.parse(tree)["metadata"]["labels"][kServiceNameLabel];
  return {std::string(slice.ns()), std::string(label.string())};
}

}  // namespace

void SliceIndex::load(const api::State& state) {
  api::for_each(state, api::kEndpointSlice, {}, [this](const api::ObjectRef& slice) {
    ServiceName service = service_of(*slice);
    if (!service.name.empty()) slices_[std::move(service)].emplace(slice->name());
  });
}

SliceIndex::Touched SliceIndex::take(const api::Change& change) {
  Touched touched;
  if (change.before) touched.before = service_of(*change.before);
  if (!touched.before.name.empty()) drop(touched.before, change.after->name());
  if (change.type == api::ChangeType::kDeleted) return touched;
  touched.after = service_of(*change.after);
  if (!touched.after.name.empty()) slices_[touched.after].emplace(change.after->name());
  return touched;
}

void SliceIndex::drop(const ServiceName& service, std::string_view slice) {
  const auto found = slices_.find(service);
  if (found == slices_.end()) return;
  found->second.erase(std::string(slice));
  if (found->second.empty()) slices_.erase(found);
}

const std::set<std::string>* SliceIndex::slices_of(const ServiceName& service) const {
  const auto found = slices_.find(service);
  return found == slices_.end() ? nullptr : &found->second;
}

}  // namespace coracle::proxy
