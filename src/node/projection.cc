// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/projection.h"

#include <algorithm>

#include "base/bytes.h"
#include "node/spec.h"
#include "node/users.h"

namespace coracle::node {

namespace {

constexpr size_t kFilesMax = 4096;
constexpr size_t kBytesMax = 8 * 1024 * 1024;

class Projection {
 public:
  Projection(const VolumeContext& context, AtomicFiles& out) : context_(context), out_(out) {}
  Result<> config_map(json::Node source, std::string_view name, uint32_t mode) {
    return object(api::kConfigMap, source, name, mode);
  }
  Result<> secret(json::Node source, std::string_view name, uint32_t mode) {
    return object(api::kSecret, source, name, mode);
  }
  Result<> downward(json::Node items, uint32_t mode);
  Result<> token(json::Node source, uint32_t mode);
  Result<> projected(json::Node source);

 private:
  struct Entry {
    std::string key;
    std::string value;
  };
  Result<> object(const api::Kind& kind, json::Node source, std::string_view name, uint32_t mode);
  Result<> add(std::string_view path, std::string content, uint32_t mode);

  const VolumeContext& context_;
  AtomicFiles& out_;
  size_t bytes_ = 0;
};

uint32_t mode_or(json::Node mode, uint32_t otherwise) {
  return mode.is_integer() ? static_cast<uint32_t>(mode.integer()) & 0777 : otherwise;
}

Result<> Projection::add(std::string_view path, std::string content, uint32_t mode) {
  bytes_ += content.size();
  if (out_.files.size() >= kFilesMax || bytes_ > kBytesMax)
    return fail(Code::kTooLarge, "volume with too many files or bytes");
  const auto same = std::find_if(out_.files.begin(), out_.files.end(),
                                 [&](const AtomicFile& file) { return file.path == path; });
  if (same != out_.files.end()) out_.files.erase(same);  // a later source wins
  out_.files.push_back({std::string(path), std::move(content), mode, std::nullopt});
  return {};
}

// Every key of data and binaryData, decoded.
template <class Entry>
std::vector<Entry> entries_of(const api::Kind& kind, json::Node object) {
  const bool is_secret = &kind == &api::kSecret;
  std::vector<Entry> entries;
  for (const json::Node entry : object["data"]) {
    entries.push_back({std::string(entry.key()), is_secret
                                                     ? from_base64(entry.string()).value_or("")
                                                     : std::string(entry.string())});
  }
  for (const json::Node entry : object["binaryData"])
    entries.push_back({std::string(entry.key()), from_base64(entry.string()).value_or("")});
  return entries;
}

Result<> Projection::object(const api::Kind& kind,
                            json::Node source,
                            std::string_view name,
                            uint32_t mode) {
  const bool is_secret = &kind == &api::kSecret;
  const std::string_view kind_name = is_secret ? "secret" : "configmap";
  const bool optional = source["optional"].boolean();
  const std::string_view ns = context_.pod["metadata"]["namespace"].string();
  const api::ObjectRef found = context_.state.get(kind, ns, name);
  if (!found) {
    if (optional) return {};
    return fail(Code::kNotFound, join({kind_name, " \"", name, "\" not found"}));
  }
  json::Tree tree;
  std::vector<Entry> entries = entries_of<Entry>(kind, found->parse(tree));
  const json::Node items = source["items"];
  if (items.size() == 0) {
    for (Entry& entry : entries)
      TRY(add(entry.key, std::move(entry.value), mode));
    return {};
  }
  for (const json::Node item : items) {
    const std::string_view key = item["key"].string();
    const auto at = std::find_if(entries.begin(), entries.end(),
                                 [&](const Entry& entry) { return entry.key == key; });
    if (at != entries.end())
      TRY(add(item["path"].string(), at->value, mode_or(item["mode"], mode)));
    else if (!optional)
      return fail(Code::kNotFound,
                  join({is_secret ? "references non-existent secret key: "
                                  : "configmap references non-existent config key: ",
                        key}));
  }
  return {};
}

Result<> Projection::downward(json::Node items, uint32_t mode) {
  for (const json::Node item : items) {
    std::string value;
    if (item["fieldRef"])
      value =
          TRY(field_value(context_.pod, item["fieldRef"]["fieldPath"].string(), context_.place));
    else
      value = TRY(resource_value(context_.pod, item["resourceFieldRef"], {}, context_.place));
    TRY(add(item["path"].string(), std::move(value), mode_or(item["mode"], mode)));
  }
  return {};
}

// The uid that all containers run as, if it is one: the token can then be for it alone.
std::optional<uint32_t> only_user(json::Node pod) {
  std::optional<int64_t> uid;
  for (const ContainerSpec& container : containers_of(pod)) {
    const json::Node own = container.node["securityContext"]["runAsUser"];
    const json::Node wanted = own ? own : pod["spec"]["securityContext"]["runAsUser"];
    if (!wanted.is_integer() || (uid && *uid != wanted.integer())) return std::nullopt;
    uid = wanted.integer();
  }
  if (!uid) return std::nullopt;
  return static_cast<uint32_t>(*uid);
}

Result<> Projection::token(json::Node source, uint32_t mode) {
  const TokenWanted wanted{std::string(source["audience"].string()),
                           source["expirationSeconds"].integer(3600)};
  for (const TokenText& token : context_.tokens) {
    if (!(token.wanted == wanted)) continue;
    TRY(add(source["path"].string(), token.text, mode));
    if (const auto uid = only_user(context_.pod); uid && !out_.group) {
      out_.files.back().uid = uid;
      out_.files.back().mode = 0600;
    }
    return {};
  }
  return fail(Code::kUnavailable, "failed to fetch token: not answered yet");
}

Result<> Projection::projected(json::Node volume) {
  const uint32_t mode = mode_or(volume["defaultMode"], 0644);
  for (const json::Node source : volume["sources"]) {
    if (const json::Node from = source["configMap"])
      TRY(config_map(from, from["name"].string(), mode));
    else if (const json::Node hidden = source["secret"])
      TRY(secret(hidden, hidden["name"].string(), mode));
    else if (source["downwardAPI"])
      TRY(downward(source["downwardAPI"]["items"], mode));
    else if (source["serviceAccountToken"])
      TRY(token(source["serviceAccountToken"], mode));
    else
      return fail(Code::kBadRequest,
                  join({"projected source \"", source.first().key(), "\" is not supported"}));
  }
  return {};
}

}  // namespace

bool is_projection(json::Node volume) {
  return volume["configMap"] || volume["secret"] || volume["downwardAPI"] || volume["projected"];
}

Result<AtomicFiles> project(const VolumeContext& context, json::Node volume) {
  AtomicFiles files;
  files.group = fs_group(context.pod);
  Projection projection(context, files);
  if (const json::Node map = volume["configMap"]) {
    TRY(projection.config_map(map, map["name"].string(), mode_or(map["defaultMode"], 0644)));
  } else if (const json::Node secret = volume["secret"]) {
    TRY(projection.secret(secret, secret["secretName"].string(),
                          mode_or(secret["defaultMode"], 0644)));
  } else if (const json::Node downward = volume["downwardAPI"]) {
    TRY(projection.downward(downward["items"], mode_or(downward["defaultMode"], 0644)));
  } else {
    TRY(projection.projected(volume["projected"]));
  }
  return files;
}

}  // namespace coracle::node
