// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/downward.h"

#include <algorithm>
#include <vector>

#include "api/quantity.h"
#include "base/bytes.h"
#include "node/spec.h"

namespace coracle::node {

namespace {

// Lines of key="value", sorted, quoted as Go's %q (fieldpath.FormatMap).
std::string format_map(json::Node map) {
  std::vector<std::string> lines;
  for (const json::Node entry : map) {
    std::string line = join({entry.key(), "=\""});
    for (const char c : entry.string()) {
      if (c == '"' || c == '\\') line += '\\';
      if (c == '\n')
        line += "\\n";
      else if (c == '\t')
        line += "\\t";
      else if (c == '\r')
        line += "\\r";
      else
        line += c;
    }
    lines.push_back(line + "\"");
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) {
    if (!text.empty()) text += '\n';
    text += line;
  }
  return text;
}

// metadata.labels['key'] -> key; empty if it has another form.
std::string_view subscript(std::string_view path, std::string_view field) {
  if (!path.starts_with(field)) return {};
  path.remove_prefix(field.size());
  if (!path.starts_with("['") || !path.ends_with("']")) return {};
  return path.substr(2, path.size() - 4);
}

int64_t divided(int64_t amount, int64_t divisor) {
  if (divisor <= 0) divisor = 1;
  return (amount + divisor - 1) / divisor;
}

}  // namespace

Result<std::string> field_value(json::Node pod, std::string_view path, const Place& place) {
  const json::Node meta = pod["metadata"];
  if (path == "metadata.name") return std::string(meta["name"].string());
  if (path == "metadata.namespace") return std::string(meta["namespace"].string());
  if (path == "metadata.uid") return std::string(meta["uid"].string());
  if (path == "metadata.labels") return format_map(meta["labels"]);
  if (path == "metadata.annotations") return format_map(meta["annotations"]);
  if (path == "spec.nodeName") return place.node_name;
  if (path == "spec.serviceAccountName")
    return std::string(pod["spec"]["serviceAccountName"].string());
  if (path == "status.hostIP" || path == "status.hostIPs") return place.host_ip;
  if (path == "status.podIP" || path == "status.podIPs") return place.pod_ip;
  if (const std::string_view key = subscript(path, "metadata.labels"); !key.empty())
    return std::string(meta["labels"][key].string());
  if (const std::string_view key = subscript(path, "metadata.annotations"); !key.empty())
    return std::string(meta["annotations"][key].string());
  return fail(Code::kBadRequest, join({"unsupported fieldPath: ", path}));
}

Result<std::string> resource_value(json::Node pod,
                                   json::Node selector,
                                   json::Node container,
                                   const Place& place) {
  const std::string_view wanted = selector["containerName"].string();
  if (!wanted.empty()) {
    container = {};
    for (const ContainerSpec& spec : containers_of(pod)) {
      if (spec.name() == wanted) container = spec.node;
    }
    if (!container) return fail(Code::kBadRequest, join({"container ", wanted, " not found"}));
  }
  const std::string_view resource = selector["resource"].string();
  const size_t dot = std::min(resource.find('.'), resource.size());
  const std::string_view list = resource.substr(0, dot);
  const std::string_view name = resource.substr(std::min(dot + 1, resource.size()));
  if (list != "limits" && list != "requests")
    return fail(Code::kBadRequest, join({"unsupported container resource : ", resource}));
  const std::string_view amount = container["resources"][list][name].string();
  const std::string_view divisor = selector["divisor"].string();
  const bool has_divisor = !divisor.empty() && api::compare_quantities(divisor, "0") > 0;
  if (name == "cpu") {
    const int64_t fallback = list == "limits" ? place.cpu_millis : 0;
    const int64_t millis = amount.empty() ? fallback : api::quantity_millis(amount).value_or(0);
    return std::to_string(
        divided(millis, has_divisor ? api::quantity_millis(divisor).value_or(1000) : 1000));
  }
  const int64_t fallback = list == "limits" && name == "memory" ? place.memory_bytes : 0;
  const int64_t bytes = amount.empty() ? fallback : api::quantity_value(amount).value_or(0);
  return std::to_string(divided(bytes, has_divisor ? api::quantity_value(divisor).value_or(1) : 1));
}

}  // namespace coracle::node
