// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/footprint.h"

#include <algorithm>

#include "api/quantity.h"
#include "base/bytes.h"
#include "node/container_start.h"
#include "node/spec.h"

namespace coracle::node {

namespace {

constexpr size_t kDepthMax = 64;
constexpr std::string_view kResource = "ephemeral-storage";

struct Count {
  uint64_t bytes = 0;
  uint64_t files = 0;
};

// What vanishes meanwhile counts nothing.
void count(port::Tree& tree, const std::string& path, size_t depth, Count& sum) {
  const Result<port::FileStat> found = tree.stat(path);
  if (!found) return;
  ++sum.files;
  sum.bytes += found->size;
  if (found->type != port::FileType::kDirectory || depth >= kDepthMax) return;
  const Result<std::vector<std::string>> names = tree.list(path);
  for (const std::string& name : names ? *names : std::vector<std::string>())
    count(tree, join({path, "/", name}), depth + 1, sum);
}

bool is_on_disk(json::Node volume) {
  return volume["emptyDir"] && volume["emptyDir"]["medium"].string() != "Memory";
}

uint64_t bytes_of(std::string_view quantity) {
  return static_cast<uint64_t>(std::max<int64_t>(api::quantity_value(quantity).value_or(0), 0));
}

}  // namespace

void add_parts(const Surroundings& around,
               const PodRecord& record,
               json::Node pod,
               std::vector<FootprintPart>& parts) {
  const std::string own = around.pod_directory(record.uid);
  for (const ContainerState& state : record.containers) {
    if (state.alive())
      parts.push_back(
          {record.uid, state.name, bundle_path(around, record.uid, state.id()) + "/upper", false});
    parts.push_back({record.uid, state.name, join({own, "/logs/", state.name}), false});
  }
  for (const json::Node volume : pod["spec"]["volumes"]) {
    const std::string name(volume["name"].string());
    if (is_on_disk(volume))
      parts.push_back({record.uid, name, join({own, "/volumes/", name}), true});
  }
}

void FootprintJob::run() {
  for (const FootprintPart& part : parts_) {
    Footprint& footprint = found_[part.uid];
    const Result<std::unique_ptr<port::Tree>> tree = disk_.tree(part.path);
    if (!tree) continue;
    Count sum;
    count(**tree, ".", 0, sum);
    (part.is_volume ? footprint.volumes : footprint.containers)[part.name] += sum.bytes;
    footprint.files += sum.files;
  }
}

bool has_storage_limits(json::Node pod) {
  for (const json::Node volume : pod["spec"]["volumes"]) {
    if (is_on_disk(volume) && volume["emptyDir"]["sizeLimit"]) return true;
  }
  for (const ContainerSpec& container : containers_of(pod)) {
    if (container.node["resources"]["limits"][kResource]) return true;
  }
  return false;
}

std::string storage_excess(json::Node pod, const Footprint& footprint) {
  for (const json::Node volume : pod["spec"]["volumes"]) {
    const std::string name(volume["name"].string());
    const std::string_view limit = volume["emptyDir"]["sizeLimit"].string();
    const auto used = footprint.volumes.find(name);
    if (limit.empty() || !is_on_disk(volume) || used == footprint.volumes.end()) continue;
    if (used->second > bytes_of(limit) && bytes_of(limit) > 0)
      return join({"Usage of EmptyDir volume \"", name, "\" exceeds the limit \"", limit, "\". "});
  }
  uint64_t all = 0;
  for (const ContainerSpec& container : containers_of(pod)) {
    if (container.init && !container.sidecar) continue;
    all += bytes_of(container.node["resources"]["limits"][kResource].string());
  }
  if (all > 0 && footprint.total() > all)
    return join({"Pod ephemeral local storage usage exceeds the total limit of containers ",
                 api::bytes_quantity(static_cast<int64_t>(all)), ". "});
  for (const ContainerSpec& container : containers_of(pod)) {
    const std::string_view limit = container.node["resources"]["limits"][kResource].string();
    const auto used = footprint.containers.find(std::string(container.name()));
    if (!limit.empty() && used != footprint.containers.end() && used->second > bytes_of(limit))
      return join({"Container ", container.name(), " exceeded its local ephemeral storage limit \"",
                   limit, "\". "});
  }
  return {};
}

}  // namespace coracle::node
