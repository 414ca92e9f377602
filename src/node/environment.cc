// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/environment.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::node {

namespace {

void set(Variables& variables, std::string_view name, std::string value) {
  for (auto& [known, old] : variables) {
    if (known != name) continue;
    old = std::move(value);
    return;
  }
  variables.emplace_back(name, std::move(value));
}

const std::string* get(const Variables& variables, std::string_view name) {
  for (const auto& [known, value] : variables) {
    if (known == name) return &value;
  }
  return nullptr;
}

std::string upper_name(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) {
    if (c == '-') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

// Upstream pkg/kubelet/envvars: NAME_SERVICE_HOST and the variables of Docker's old links.
void add_service(Variables& variables, json::Node service) {
  const std::string_view ip = service["spec"]["clusterIP"].string();
  if (ip.empty() || ip == "None") return;
  const std::string name = upper_name(service["metadata"]["name"].string());
  set(variables, name + "_SERVICE_HOST", std::string(ip));
  bool is_first = true;
  for (const json::Node port : service["spec"]["ports"]) {
    const std::string number = std::to_string(port["port"].integer());
    const std::string_view protocol = port["protocol"].string("TCP");
    std::string lower(protocol);
    for (char& c : lower)
      c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    const std::string url = join({lower, "://", ip, ":", number});
    if (is_first) {
      set(variables, name + "_SERVICE_PORT", number);
      set(variables, name + "_PORT", url);
    }
    is_first = false;
    const std::string_view port_name = port["name"].string();
    if (!port_name.empty())
      set(variables, join({name, "_SERVICE_PORT_", upper_name(port_name)}), number);
    const std::string prefix = join({name, "_PORT_", number, "_", protocol});
    set(variables, prefix, url);
    set(variables, prefix + "_PROTO", lower);
    set(variables, prefix + "_PORT", number);
    set(variables, prefix + "_ADDR", std::string(ip));
  }
}

Variables service_variables(const api::State& state, json::Node pod) {
  Variables variables;
  const std::string_view ns = pod["metadata"]["namespace"].string();
  const api::ObjectRef master = state.get(api::kService, "default", "kubernetes");
  if (master) {
    json::Tree tree;
    add_service(variables, master->parse(tree));
  }
  if (!pod["spec"]["enableServiceLinks"].boolean(true)) return variables;
  api::for_each(state, api::kService, ns, [&](const api::ObjectRef& service) {
    json::Tree tree;
    add_service(variables, service->parse(tree));
  });
  return variables;
}

struct Reader {
  const api::State& state;
  std::string_view ns;

  Result<api::ObjectRef> object(const api::Kind& kind, std::string_view name) const {
    api::ObjectRef found = state.get(kind, ns, name);
    if (!found) {
      const bool is_secret = &kind == &api::kSecret;
      return fail(Code::kNotFound,
                  join({is_secret ? "secret" : "configmap", " \"", name, "\" not found"}));
    }
    return found;
  }
};

std::string decoded(const api::Kind& kind, std::string_view value) {
  if (&kind != &api::kSecret) return std::string(value);
  return from_base64(value).value_or(std::string());
}

// envFrom: every key that the object has.
Result<> add_all(Variables& variables,
                 const Reader& reader,
                 const api::Kind& kind,
                 json::Node source,
                 std::string_view prefix) {
  const std::string_view name = source["name"].string();
  const Result<api::ObjectRef> object = reader.object(kind, name);
  if (!object) return source["optional"].boolean() ? Result<>() : object.error();
  json::Tree tree;
  for (const json::Node entry : (*object)->parse(tree)["data"])
    set(variables, join({prefix, entry.key()}), decoded(kind, entry.string()));
  return {};
}

// One key. nullopt-like: `found` stays false for an optional one that is missing.
Result<> read_key(const Reader& reader,
                  const api::Kind& kind,
                  json::Node selector,
                  std::string& value,
                  bool& found) {
  const std::string_view name = selector["name"].string();
  const std::string_view key = selector["key"].string();
  const bool optional = selector["optional"].boolean();
  const Result<api::ObjectRef> object = reader.object(kind, name);
  if (!object) return optional ? Result<>() : object.error();
  json::Tree tree;
  const json::Node entry = (*object)->parse(tree)["data"][key];
  found = entry.is_string();
  if (found) value = decoded(kind, entry.string());
  if (found || optional) return {};
  const std::string_view kind_name = &kind == &api::kSecret ? "Secret" : "ConfigMap";
  return fail(Code::kNotFound,
              join({"couldn't find key ", key, " in ", kind_name, " ", reader.ns, "/", name}));
}

Result<> add_one(Variables& variables,
                 const Reader& reader,
                 json::Node entry,
                 json::Node pod,
                 json::Node container,
                 const Place& place) {
  const json::Node from = entry["valueFrom"];
  std::string value;
  bool found = true;
  if (!from) {
    value = expand(entry["value"].string(), variables);
  } else if (from["fieldRef"]) {
    value = TRY(field_value(pod, from["fieldRef"]["fieldPath"].string(), place));
  } else if (from["resourceFieldRef"]) {
    value = TRY(resource_value(pod, from["resourceFieldRef"], container, place));
  } else if (from["configMapKeyRef"]) {
    found = false;
    TRY(read_key(reader, api::kConfigMap, from["configMapKeyRef"], value, found));
  } else if (from["secretKeyRef"]) {
    found = false;
    TRY(read_key(reader, api::kSecret, from["secretKeyRef"], value, found));
  } else {
    return fail(Code::kBadRequest,
                join({"env ", entry["name"].string(), ": this valueFrom is not supported"}));
  }
  if (found) set(variables, entry["name"].string(), std::move(value));
  return {};
}

}  // namespace

Result<Variables> pod_variables(const api::State& state,
                                json::Node pod,
                                json::Node container,
                                const Place& place) {
  const Reader reader{state, pod["metadata"]["namespace"].string()};
  Variables variables;
  for (const json::Node source : container["envFrom"]) {
    const std::string_view prefix = source["prefix"].string();
    if (source["configMapRef"])
      TRY(add_all(variables, reader, api::kConfigMap, source["configMapRef"], prefix));
    if (source["secretRef"])
      TRY(add_all(variables, reader, api::kSecret, source["secretRef"], prefix));
  }
  // Services may be named in $(...) of env, but never replace what the pod says.
  for (auto& [name, value] : service_variables(state, pod)) {
    if (get(variables, name) == nullptr) variables.emplace_back(name, std::move(value));
  }
  for (const json::Node entry : container["env"])
    TRY(add_one(variables, reader, entry, pod, container, place));
  return variables;
}

std::string expand(std::string_view text, const Variables& variables) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const size_t close = text[i + 1] == '(' ? text.find(')', i) : std::string_view::npos;
    if (text[i + 1] == '$') {
      out += '$';
      ++i;
    } else if (close == std::string_view::npos) {
      out += '$';
    } else {
      const std::string_view name = text.substr(i + 2, close - i - 2);
      const std::string* value = get(variables, name);
      out += value != nullptr ? std::string_view(*value) : text.substr(i, close - i + 1);
      i = close;
    }
  }
  return out;
}

std::vector<std::string> process_environment(const Image& image, const Variables& variables) {
  Variables all;
  set(all, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  for (const std::string& entry : image.env) {
    const size_t equal = std::min(entry.find('='), entry.size());
    set(all, entry.substr(0, equal), entry.substr(std::min(equal + 1, entry.size())));
  }
  for (const auto& [name, value] : variables)
    set(all, name, value);
  std::vector<std::string> lines;
  for (const auto& [name, value] : all)
    lines.push_back(join({name, "=", value}));
  return lines;
}

std::vector<std::string> process_arguments(const Image& image,
                                           json::Node container,
                                           const Variables& variables) {
  const auto expanded = [&](json::Node list) {
    std::vector<std::string> out;
    for (const json::Node item : list)
      out.push_back(expand(item.string(), variables));
    return out;
  };
  std::vector<std::string> all = expanded(container["command"]);
  std::vector<std::string> arguments = expanded(container["args"]);
  if (all.empty()) {
    all = image.entrypoint;
    if (arguments.empty()) arguments = image.command;
  }
  for (std::string& argument : arguments)
    all.push_back(std::move(argument));
  return all;
}

}  // namespace coracle::node
