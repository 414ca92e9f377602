// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/volumes.h"

#include <algorithm>
#include <array>

#include "api/claims.h"
#include "api/quantity.h"
#include "base/bytes.h"
#include "node/claims.h"
#include "node/projection.h"
#include "node/spec.h"
#include "node/users.h"

namespace coracle::node {

namespace {

std::string volume_path(const std::string& base, json::Node volume) {
  return join({base, "/volumes/", volume["name"].string()});
}

bool is_memory(json::Node volume) {
  return volume["emptyDir"]["medium"].string() == "Memory";
}

json::Node find_volume(json::Node pod, std::string_view name) {
  for (const json::Node volume : pod["spec"]["volumes"]) {
    if (volume["name"].string() == name) return volume;
  }
  return {};
}

Result<> make_open_directory(const VolumeContext& context, const std::string& path) {
  if (context.disk.stat(path)) return {};
  TRY(context.disk.make_directories(path, 0755));
  const std::unique_ptr<port::Tree> tree = TRY(context.disk.tree(path));
  const auto group = fs_group(context.pod);
  if (group) TRY(tree->set_owner(".", 0, *group));
  return tree->set_mode(".", group ? 02777 : 0777);
}

struct HostPathType {
  std::string_view name;
  port::FileType type;
  std::string_view what;
};
constexpr std::array<HostPathType, 5> kHostPathTypes = {{
    {"Directory", port::FileType::kDirectory, "a directory"},
    {"File", port::FileType::kFile, "a file"},
    {"Socket", port::FileType::kSocket, "a socket file"},
    {"CharDevice", port::FileType::kCharacterDevice, "a character device"},
    {"BlockDevice", port::FileType::kBlockDevice, "a block device"},
}};

}  // namespace

Result<> check_host_path(const VolumeContext& context, json::Node host_path) {
  const std::string path(host_path["path"].string());
  const std::string_view type = host_path["type"].string();
  if (type.empty()) return {};
  const bool may_create = type.ends_with("OrCreate");
  const Result<port::FileStat> found = context.disk.stat(path);
  if (!found && may_create) {
    if (type == "DirectoryOrCreate") return context.disk.make_directories(path, 0755);
    return context.disk.write_file(path, {}, 0644);
  }
  const std::string_view base = may_create ? type.substr(0, type.size() - 8) : type;
  for (const HostPathType& row : kHostPathTypes) {
    if (row.name != base) continue;
    if (found && found->type == row.type) return {};
    return fail(Code::kBadRequest,
                join({"hostPath type check failed: ", path, " is not ", row.what}));
  }
  return fail(Code::kBadRequest, join({"hostPath type \"", type, "\" is not known"}));
}

namespace {

Result<> prepare_one(const VolumeContext& context, json::Node volume) {
  if (volume["hostPath"]) return check_host_path(context, volume["hostPath"]);
  if (volume["emptyDir"]) {
    const std::string& base = is_memory(volume) ? context.run_directory : context.data_directory;
    return make_open_directory(context, volume_path(base, volume));
  }
  if (is_projection(volume)) {
    const AtomicFiles files = TRY(project(context, volume));
    const std::string path = volume_path(context.run_directory, volume);
    TRY(make_open_directory(context, path));
    const Result<bool> written = write_atomically(context.disk, path, files, context.now);
    return written ? Result<>() : Result<>(written.error());
  }
  std::string_view type = "unknown";
  for (const json::Node field : volume) {
    if (field.key() != "name") type = field.key();
  }
  return fail(Code::kBadRequest,
              join({"no volume plugin matched: ", type, " volumes are not supported"}));
}

}  // namespace

std::vector<TokenWanted> tokens_wanted(json::Node pod) {
  std::vector<TokenWanted> wanted;
  for (const json::Node volume : pod["spec"]["volumes"]) {
    for (const json::Node source : volume["projected"]["sources"]) {
      const json::Node token = source["serviceAccountToken"];
      if (!token) continue;
      TokenWanted one{std::string(token["audience"].string()),
                      token["expirationSeconds"].integer(3600)};
      if (std::find(wanted.begin(), wanted.end(), one) == wanted.end())
        wanted.push_back(std::move(one));
    }
  }
  return wanted;
}

namespace {

bool source_refers_to(json::Node source, bool is_secret, std::string_view name) {
  if (is_secret) {
    const json::Node secret = source["secret"];
    return secret["secretName"].string() == name || secret["name"].string() == name;
  }
  return source["configMap"]["name"].string() == name;
}

bool container_refers_to(json::Node container, bool is_secret, std::string_view name) {
  for (const json::Node source : container["envFrom"]) {
    if (source[is_secret ? "secretRef" : "configMapRef"]["name"].string() == name) return true;
  }
  for (const json::Node entry : container["env"]) {
    const json::Node from = entry["valueFrom"];
    if (from[is_secret ? "secretKeyRef" : "configMapKeyRef"]["name"].string() == name) return true;
  }
  return false;
}

}  // namespace

bool refers_to(json::Node pod, const api::Kind& kind, std::string_view name) {
  const std::string_view own = pod["metadata"]["name"].string();
  for (const json::Node volume : pod["spec"]["volumes"]) {
    if (!is_claim(volume)) continue;
    if (&kind == &api::kPersistentVolume) return true;  // which one, only its claim says
    if (&kind == &api::kPersistentVolumeClaim && api::claim_of(volume, own) == name) return true;
  }
  if (&kind != &api::kSecret && &kind != &api::kConfigMap) return false;
  const bool is_secret = &kind == &api::kSecret;
  for (const json::Node volume : pod["spec"]["volumes"]) {
    if (source_refers_to(volume, is_secret, name)) return true;
    for (const json::Node source : volume["projected"]["sources"]) {
      if (source_refers_to(source, is_secret, name)) return true;
    }
  }
  for (const ContainerSpec& container : containers_of(pod)) {
    if (container_refers_to(container.node, is_secret, name)) return true;
  }
  return false;
}

Result<> prepare_volumes(const VolumeContext& context) {
  for (const json::Node volume : context.pod["spec"]["volumes"]) {
    if (is_claim(volume)) {
      if (!context.is_running) TRY(prepare_claim(context, volume));
      continue;
    }
    Result<> prepared = prepare_one(context, volume);
    if (prepared) continue;
    return fail(prepared.error().code,
                join({"MountVolume.SetUp failed for volume \"", volume["name"].string(),
                      "\" : ", prepared.error().message}));
  }
  return {};
}

std::vector<port::SandboxMount> memory_volumes(const VolumeContext& context) {
  std::vector<port::SandboxMount> mounts;
  const auto group = fs_group(context.pod);
  for (const json::Node volume : context.pod["spec"]["volumes"]) {
    if (!is_memory(volume)) continue;
    std::string options = group ? join({"mode=2777,gid=", std::to_string(*group)}) : "mode=0777";
    const std::string_view limit = volume["emptyDir"]["sizeLimit"].string();
    const int64_t bytes = api::quantity_value(limit).value_or(0);
    if (bytes > 0) options += join({",size=", std::to_string(bytes)});
    mounts.push_back(
        {"tmpfs", "tmpfs", volume_path(context.run_directory, volume), std::move(options)});
  }
  return mounts;
}

// --- Mounts of a container

namespace {

// Where a mount comes from: a directory or file, or what lies beneath it.
struct VolumePath {
  std::string root;
  std::string sub_path;
  bool is_file = false;  // what sub_path names
};

// The directory or file beneath `root` that subPath names. Symlinks are refused, so that no volume
// leads elsewhere; what is missing is made as a directory (upstream's SafeMakeDir). A container may
// change the path after this: the sandbox binds it without ever leaving `root`.
Result<VolumePath> safe_sub_path(const VolumeContext& context,
                                 const std::string& root,
                                 std::string_view sub_path) {
  const std::unique_ptr<port::Tree> tree = TRY(context.disk.tree(root));
  VolumePath at{root, {}, false};
  for (const std::string_view part : split(sub_path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..")
      return fail(Code::kBadRequest, join({"subPath \"", sub_path, "\" must not contain '..'"}));
    at.sub_path = at.sub_path.empty() ? std::string(part) : join({at.sub_path, "/", part});
    const Result<port::FileStat> found = tree->stat(at.sub_path);
    at.is_file = found && found->type != port::FileType::kDirectory;
    if (!found && found.error().code == Code::kNotFound)
      TRY(tree->make_directory(at.sub_path, 0750));
    else if (!found)
      return found.error();
    else if (found->type == port::FileType::kSymlink)
      return fail(Code::kForbidden,
                  join({"subPath \"", sub_path, "\" leads through a symbolic link"}));
  }
  return at;
}

Result<VolumePath> beneath(const VolumeContext& context,
                           std::string root,
                           std::string_view sub_path) {
  if (sub_path.empty()) return VolumePath{std::move(root), {}, false};
  return safe_sub_path(context, root, sub_path);
}

Result<VolumePath> volume_source(const VolumeContext& context,
                                 json::Node volume,
                                 std::string_view sub_path) {
  if (volume["hostPath"])
    return beneath(context, std::string(volume["hostPath"]["path"].string()), sub_path);
  if (is_claim(volume)) {
    json::Tree tree;
    return beneath(context, claimed_path(TRY(claimed_volume(context, volume, tree))), sub_path);
  }
  if (!is_projection(volume)) {
    const std::string& base = is_memory(volume) ? context.run_directory : context.data_directory;
    // A tmpfs is not mounted where the daemon could look beneath it.
    if (is_memory(volume) && !sub_path.empty())
      return fail(Code::kBadRequest, "subPath of a volume in memory is not supported");
    return beneath(context, volume_path(base, volume), sub_path);
  }
  const std::string path = volume_path(context.run_directory, volume);
  if (sub_path.empty()) return VolumePath{path, {}, false};
  // Only the agent writes here: the link is its own. As upstream, a subPath keeps the files it
  // started with.
  const std::unique_ptr<port::Tree> tree = TRY(context.disk.tree(path));
  const std::string current = TRY(tree->read_link("..data"));
  const std::string inside = join({current, "/", sub_path});
  if (!tree->stat(inside))
    return fail(Code::kNotFound, join({"subPath \"", sub_path, "\" is not in the volume"}));
  return safe_sub_path(context, path, inside);
}

std::string propagation_of(json::Node mount) {
  const std::string_view propagation = mount["mountPropagation"].string();
  if (propagation == "HostToContainer") return "rslave";
  return propagation == "Bidirectional" ? "rshared" : "rprivate";
}

}  // namespace

Result<std::vector<BindMount>> container_volumes(const VolumeContext& context,
                                                 json::Node container,
                                                 const Variables& variables) {
  std::vector<BindMount> mounts;
  for (const json::Node mount : container["volumeMounts"]) {
    const std::string_view name = mount["name"].string();
    const json::Node volume = find_volume(context.pod, name);
    if (!volume) return fail(Code::kNotFound, join({"volume \"", name, "\" not found"}));
    std::string sub_path(mount["subPath"].string());
    if (mount["subPathExpr"]) sub_path = expand(mount["subPathExpr"].string(), variables);
    if (sub_path.starts_with('/'))
      return fail(Code::kBadRequest, join({"subPath \"", sub_path, "\" must be relative"}));
    Result<VolumePath> source = volume_source(context, volume, sub_path);
    if (!source)
      return fail(source.error().code,
                  join({"failed to prepare subPath for volumeMount \"", name, "\" of container \"",
                        container["name"].string(), "\": ", source.error().message}));
    std::string target(mount["mountPath"].string());
    if (!target.starts_with('/')) target.insert(0, "/");
    const bool read_only = mount["readOnly"].boolean() || is_projection(volume) ||
                           volume["persistentVolumeClaim"]["readOnly"].boolean();
    mounts.push_back({std::move(source->root), std::move(target), read_only, propagation_of(mount),
                      std::move(source->sub_path), source->is_file});
  }
  return mounts;
}

}  // namespace coracle::node
