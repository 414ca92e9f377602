// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/usage_answer.h"

#include <map>
#include <set>

#include "api/metrics.h"
#include "api/selector.h"
#include "api/usage.h"
#include "base/bytes.h"
#include "json/writer.h"

namespace coracle::apiserver {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

std::string window_text(Duration window) {
  const int64_t millis = window.ns / kMillisecond;
  std::string rest = std::to_string(millis % 1000);
  rest.insert(0, 3 - rest.size(), '0');
  return join({std::to_string(millis / 1000), ".", rest, "s"});
}

void write_usage(json::Writer& out, const api::Usage& usage) {
  out.key("usage");
  out.begin_object();
  out.member("cpu", join({std::to_string(usage.nano_cores), "n"}));
  out.member("memory", join({std::to_string(usage.memory_bytes / 1024), "Ki"}));
  out.end_object();
}

class UsageAnswer final : public Stream, api::UsageSink {
 public:
  UsageAnswer(Parts& parts, Exchange& exchange, api::LabelSelector selector)
      : parts_(parts),
        exchange_(exchange),
        selector_(std::move(selector)),
        of_pods_(exchange.request.resource == "pods") {}
  ~UsageAnswer() override {
    if (parts_.usages != nullptr) parts_.usages->forget(*this);
  }

  void ask();
  void on_drained() override {}

 private:
  struct Item {
    api::ObjectRef object;
    std::string text;
  };

  bool wanted(const api::ObjectRef& object) const;
  void choose();
  void on_usage(uint64_t token, Result<api::NodeUsage> usage) override;
  void take_node(const api::NodeUsage& usage);
  void take_pods(const api::NodeUsage& usage);
  std::string item(const api::Object& object, const api::NodeUsage& of, const api::PodUsage* pod);
  void finish();

  Parts& parts_;
  Exchange& exchange_;
  const api::LabelSelector selector_;
  const bool of_pods_;
  std::set<std::string, std::less<>> nodes_;        // to be asked
  std::map<std::string, Item, std::less<>> items_;  // by storage key
  size_t waiting_ = 0;
};

bool UsageAnswer::wanted(const api::ObjectRef& object) const {
  if (selector_.empty()) return true;
  json::Tree tree;
  return selector_.matches(object->parse(tree)["metadata"]["labels"]);
}

void UsageAnswer::choose() {
  const Request& request = exchange_.request;
  const api::Kind& kind = of_pods_ ? api::kPod : api::kNode;
  const auto take = [this](const api::ObjectRef& object) {
    if (!wanted(object)) return;
    std::string node(object->name());
    if (of_pods_) {
      json::Tree tree;
      node = object->parse(tree)["spec"]["nodeName"].string();
    }
    if (node.empty()) return;
    items_[object->key()].object = object;
    nodes_.insert(std::move(node));
  };
  if (request.name.empty()) return api::for_each(parts_.store, kind, request.ns, take);
  const api::ObjectRef object = parts_.store.get(kind, request.ns, request.name);
  if (object) take(object);
}

void UsageAnswer::ask() {
  choose();
  waiting_ = nodes_.size();
  if (waiting_ == 0) return finish();
  for (const std::string& node : nodes_)
    parts_.usages->ask_usage(node, *this, 0);
}

void UsageAnswer::on_usage(uint64_t, Result<api::NodeUsage> usage) {
  if (usage) of_pods_ ? take_pods(*usage) : take_node(*usage);
  if (--waiting_ == 0) finish();
}

void UsageAnswer::take_node(const api::NodeUsage& usage) {
  const auto found = items_.find(api::storage_key(api::kNode, {}, usage.name));
  if (found != items_.end()) found->second.text = item(*found->second.object, usage, nullptr);
}

void UsageAnswer::take_pods(const api::NodeUsage& usage) {
  for (const api::PodUsage& pod : usage.pods) {
    const auto found = items_.find(api::storage_key(api::kPod, pod.ns, pod.name));
    if (found == items_.end() || found->second.object->uid() != pod.uid) continue;
    if (!pod.containers.empty()) found->second.text = item(*found->second.object, usage, &pod);
  }
}

std::string UsageAnswer::item(const api::Object& object,
                              const api::NodeUsage& of,
                              const api::PodUsage* pod) {
  json::Tree tree;
  const json::Node labels = object.parse(tree)["metadata"]["labels"];
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.member("kind", pod == nullptr ? "NodeMetrics" : "PodMetrics");
  out.member("apiVersion", join({api::kMetricsGroup, "/", api::kMetricsVersion}));
  out.key("metadata");
  out.begin_object();
  out.member("name", object.name());
  if (pod != nullptr) out.member("namespace", object.ns());
  out.member("creationTimestamp", rfc3339(of.at));
  if (labels) {
    out.key("labels");
    out.raw(json::write(labels));
  }
  out.end_object();
  out.member("timestamp", rfc3339(of.at));
  out.member("window", window_text(of.window));
  if (pod == nullptr) {
    write_usage(out, of.usage);
  } else {
    out.key("containers");
    out.begin_array();
    for (const api::ContainerUsage& container : pod->containers) {
      out.begin_object();
      out.member("name", container.name);
      write_usage(out, container.usage);
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
  return text;
}

void UsageAnswer::finish() {
  const Request& request = exchange_.request;
  const std::string_view kind = of_pods_ ? "PodMetrics" : "NodeMetrics";
  if (!request.name.empty()) {
    const Item* found = items_.empty() ? nullptr : &items_.begin()->second;
    if (found != nullptr && !found->text.empty())
      return exchange_.reply({200, {}, found->text + "\n"});
    const std::string name = of_pods_ ? join({request.ns, "/", request.name}) : request.name;
    return exchange_.fail(
        not_found(of_pods_ ? "podmetrics.metrics.k8s.io" : "nodemetrics.metrics.k8s.io", name));
  }
  std::string text = join({"{\"kind\":\"", kind, "List\",\"apiVersion\":\"", api::kMetricsGroup,
                           "/", api::kMetricsVersion, "\",\"metadata\":{},\"items\":["});
  bool first = true;
  for (const auto& [key, each] : items_) {
    if (each.text.empty()) continue;
    text += join({first ? "" : ",", each.text});
    first = false;
  }
  exchange_.reply({200, {}, text + "]}\n"});
}

}  // namespace

Result<Next> answer_usage(Parts& parts, Exchange& exchange) {
  const Request& request = exchange.request;
  if (request.verb != Verb::kGet && request.verb != Verb::kList)
    return fail(Code::kMethodNotAllowed,
                "the server does not allow this method on the requested resource");
  if (parts.usages == nullptr)
    return fail(Code::kUnavailable, "what nodes use is not known to this server");
  if (!request.options.field_selector.empty())
    return fail(Code::kBadRequest, "field selectors are not supported for metrics");
  api::LabelSelector selector;
  if (!request.options.label_selector.empty())
    selector = TRY(api::LabelSelector::parse(request.options.label_selector));
  auto stream = std::make_unique<UsageAnswer>(parts, exchange, std::move(selector));
  UsageAnswer& answer = *stream;
  exchange.stream = std::move(stream);
  answer.ask();
  return Next::kDone;
}

}  // namespace coracle::apiserver
