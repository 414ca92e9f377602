// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/usage.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "json/tree.h"
#include "json/writer.h"

namespace coracle::node {

namespace {
constexpr Duration kOldEnough = seconds(10);
constexpr Duration kAgeMin = seconds(1);
}  // namespace

// --- Rates

const CpuMeter::Reading* CpuMeter::reference() const {
  const Duration since_latest = now_.at - latest_.at;
  if (latest_.at.ns > 0 && since_latest >= kOldEnough) return &latest_;
  if (base_.at.ns > 0) return &base_;
  return latest_.at.ns > 0 && since_latest >= kAgeMin ? &latest_ : nullptr;
}

void CpuMeter::begin(Mono now) {
  now_.at = now;
  now_.counters.clear();
}

Duration CpuMeter::window() const {
  const Reading* before = reference();
  return before == nullptr ? Duration{} : now_.at - before->at;
}

uint64_t CpuMeter::rate(const std::string& key, uint64_t cpu_ns, Duration age) {
  now_.counters[key] = cpu_ns;
  const Reading* before = reference();
  if (before != nullptr) {
    const auto known = before->counters.find(key);
    if (known != before->counters.end() && known->second <= cpu_ns) {
      age = now_.at - before->at;
      cpu_ns -= known->second;
    }
  }
  const auto ms = static_cast<uint64_t>(std::max(age, kAgeMin).ms());
  return cpu_ns / ms * 1000 + cpu_ns % ms * 1000 / ms;
}

void CpuMeter::end() {
  if (latest_.at.ns > 0 && now_.at - latest_.at < kOldEnough) return;
  base_ = std::move(latest_);
  latest_ = std::move(now_);
  now_ = {};
}

// --- Summary

namespace {

void put_usage(json::Writer& out,
               const api::Usage& usage,
               std::string_view at,
               std::optional<uint64_t> available = {}) {
  out.key("cpu");
  out.begin_object();
  out.member("time", at);
  out.member("usageNanoCores", static_cast<int64_t>(usage.nano_cores));
  out.member("usageCoreNanoSeconds", static_cast<int64_t>(usage.cpu_ns));
  out.end_object();
  out.key("memory");
  out.begin_object();
  out.member("time", at);
  if (available) out.member("availableBytes", static_cast<int64_t>(*available));
  out.member("usageBytes", static_cast<int64_t>(usage.memory_charge));
  out.member("workingSetBytes", static_cast<int64_t>(usage.memory_bytes));
  out.end_object();
}

void put_pod(json::Writer& out, const api::PodUsage& pod, std::string_view at) {
  out.begin_object();
  out.key("podRef");
  out.begin_object();
  out.member("name", std::string_view(pod.name));
  out.member("namespace", std::string_view(pod.ns));
  out.member("uid", std::string_view(pod.uid));
  out.end_object();
  out.member("startTime", std::string_view(rfc3339(pod.started)));
  out.key("containers");
  out.begin_array();
  for (const api::ContainerUsage& container : pod.containers) {
    out.begin_object();
    out.member("name", std::string_view(container.name));
    out.member("startTime", std::string_view(rfc3339(container.started)));
    put_usage(out, container.usage, at);
    out.end_object();
  }
  out.end_array();
  put_usage(out, pod.total(), at);
  out.end_object();
}

api::Usage read_usage(json::Node from) {
  const auto number = [](json::Node at) {
    return static_cast<uint64_t>(std::max<int64_t>(at.integer(), 0));
  };
  return {number(from["cpu"]["usageCoreNanoSeconds"]), number(from["cpu"]["usageNanoCores"]),
          number(from["memory"]["workingSetBytes"]), number(from["memory"]["usageBytes"])};
}

}  // namespace

std::string summary_text(const api::NodeUsage& usage) {
  std::string text;
  const std::string at = rfc3339(usage.at);
  json::Writer out(text);
  out.begin_object();
  out.key("node");
  out.begin_object();
  out.member("nodeName", std::string_view(usage.name));
  put_usage(out, usage.usage, at, usage.memory_available);
  out.member("windowSeconds", usage.window.seconds());
  out.end_object();
  out.key("pods");
  out.begin_array();
  for (const api::PodUsage& pod : usage.pods)
    put_pod(out, pod, at);
  out.end_array();
  out.end_object();
  return text;
}

Result<api::NodeUsage> parse_summary(std::string_view text) {
  json::Tree tree;
  const json::Node root = TRY(tree.parse(text));
  const json::Node node = root["node"];
  api::NodeUsage usage;
  usage.name = node["nodeName"].string();
  if (usage.name.empty()) return fail(Code::kCorrupt, "a summary without a node");
  usage.usage = read_usage(node);
  usage.at = parse_rfc3339(node["cpu"]["time"].string()).value_or(Wall{});
  usage.window = seconds(std::clamp<int64_t>(node["windowSeconds"].integer(), 0, 1 << 30));
  usage.memory_available =
      static_cast<uint64_t>(std::max<int64_t>(node["memory"]["availableBytes"].integer(), 0));
  for (const json::Node from : root["pods"]) {
    api::PodUsage pod;
    pod.ns = from["podRef"]["namespace"].string();
    pod.name = from["podRef"]["name"].string();
    pod.uid = from["podRef"]["uid"].string();
    pod.started = parse_rfc3339(from["startTime"].string()).value_or(Wall{});
    for (const json::Node each : from["containers"])
      pod.containers.push_back({std::string(each["name"].string()),
                                parse_rfc3339(each["startTime"].string()).value_or(Wall{}),
                                read_usage(each)});
    usage.pods.push_back(std::move(pod));
  }
  return usage;
}

// --- Metrics

namespace {

struct Family {
  std::string_view name;
  std::string_view type;
  std::string_view help;
};

std::string seconds_text(uint64_t ns) {
  std::string fraction = std::to_string(ns / 1'000'000 % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return join({std::to_string(ns / 1'000'000'000), ".", fraction});
}

class Metrics {
 public:
  explicit Metrics(const api::NodeUsage& usage) : usage_(usage) {}
  std::string text();

 private:
  enum class Of : uint8_t { kCpu, kMemory, kStart };
  void family(const Family& family);
  void containers(const Family& family, Of what);
  void pods(const Family& family, Of what);
  void row(std::string_view name, std::string_view labels, const std::string& value) {
    out_ += join({name, labels, " ", value, "\n"});
  }
  static std::string value(Of what, const api::Usage& usage, Wall started) {
    if (what == Of::kMemory) return std::to_string(usage.memory_bytes);
    return seconds_text(what == Of::kCpu ? usage.cpu_ns : static_cast<uint64_t>(started.ns));
  }

  const api::NodeUsage& usage_;
  std::string out_;
};

void Metrics::family(const Family& family) {
  out_ += join({"# HELP ", family.name, " [STABLE] ", family.help, "\n# TYPE ", family.name, " ",
                family.type, "\n"});
}

void Metrics::containers(const Family& of, Of what) {
  family(of);
  for (const api::PodUsage& pod : usage_.pods) {
    for (const api::ContainerUsage& each : pod.containers)
      row(of.name,
          join({"{container=\"", each.name, "\",namespace=\"", pod.ns, "\",pod=\"", pod.name,
                "\"}"}),
          value(what, each.usage, each.started));
  }
}

void Metrics::pods(const Family& of, Of what) {
  family(of);
  for (const api::PodUsage& pod : usage_.pods)
    row(of.name, join({"{namespace=\"", pod.ns, "\",pod=\"", pod.name, "\"}"}),
        value(what, pod.total(), pod.started));
}

std::string Metrics::text() {
  constexpr std::string_view kCpuHelp = "Cumulative cpu time consumed in core-seconds";
  constexpr std::string_view kMemoryHelp = "Current working set in bytes";
  containers({"container_cpu_usage_seconds_total", "counter", kCpuHelp}, Of::kCpu);
  containers({"container_memory_working_set_bytes", "gauge", kMemoryHelp}, Of::kMemory);
  containers({"container_start_time_seconds", "gauge", "Start time since unix epoch in seconds"},
             Of::kStart);
  const Family node_cpu{"node_cpu_usage_seconds_total", "counter", kCpuHelp};
  family(node_cpu);
  row(node_cpu.name, {}, value(Of::kCpu, usage_.usage, {}));
  const Family node_memory{"node_memory_working_set_bytes", "gauge", kMemoryHelp};
  family(node_memory);
  row(node_memory.name, {}, value(Of::kMemory, usage_.usage, {}));
  pods({"pod_cpu_usage_seconds_total", "counter", kCpuHelp}, Of::kCpu);
  pods({"pod_memory_working_set_bytes", "gauge", kMemoryHelp}, Of::kMemory);
  family({"resource_scrape_error", "gauge", "1 if a counter could not be read, else 0"});
  row("resource_scrape_error", {}, "0");
  return std::move(out_);
}

}  // namespace

std::string resource_metrics_text(const api::NodeUsage& usage) {
  return Metrics(usage).text();
}

}  // namespace coracle::node
