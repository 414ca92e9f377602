// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/users.h"

#include <algorithm>

#include "base/bytes.h"
#include "node/spec.h"

namespace coracle::node {

namespace {

constexpr size_t kAccountBytesMax = 1024 * 1024;

std::optional<uint32_t> id_of(std::string_view text) {
  const auto value = parse_unsigned(text);
  if (!value || *value > UINT32_MAX) return std::nullopt;
  return static_cast<uint32_t>(*value);
}

struct Account {
  std::string_view name;
  uint32_t id = 0;
  std::vector<std::string_view> fields;
};

// Lines of passwd and group both start name:x:id.
std::optional<Account> find_account(std::string_view file, std::string_view wanted) {
  const auto wanted_id = id_of(wanted);
  for (const std::string_view line : split(file, '\n')) {
    Account account{{}, 0, split(line, ':')};
    if (account.fields.size() < 4) continue;
    const auto id = id_of(account.fields[2]);
    if (!id) continue;
    account.name = account.fields[0];
    account.id = *id;
    if (account.name == wanted || (wanted_id && *wanted_id == *id)) return account;
  }
  return std::nullopt;
}

void add_memberships(ProcessUser& user, std::string_view groups, std::string_view name) {
  for (const std::string_view line : split(groups, '\n')) {
    const auto fields = split(line, ':');
    const auto id = fields.size() >= 4 ? id_of(fields[2]) : std::nullopt;
    if (!id) continue;
    const auto members = split(trim(fields[3]), ',');
    if (std::find(members.begin(), members.end(), name) != members.end())
      user.groups.push_back(*id);
  }
}

json::Node either(json::Node container, json::Node pod, std::string_view field) {
  const json::Node own = container["securityContext"][field];
  return own ? own : pod["spec"]["securityContext"][field];
}

Result<> refuse_root(json::Node pod, json::Node container, std::string_view why) {
  return fail(Code::kForbidden,
              join({"container has runAsNonRoot and ", why, " (pod: \"", pod_label(pod),
                    "\", container: ", container["name"].string(), ")"}));
}

Result<> check_not_root(json::Node pod,
                        json::Node container,
                        const ProcessUser& user,
                        std::string_view image_user) {
  if (!either(container, pod, "runAsNonRoot").boolean()) return {};
  const bool is_set = static_cast<bool>(either(container, pod, "runAsUser"));
  if (user.uid == 0)
    return refuse_root(
        pod, container,
        is_set ? "container's runAsUser breaks non-root policy" : "image will run as root");
  if (!is_set && !id_of(image_user))
    return refuse_root(
        pod, container,
        join({"image has non-numeric user (", image_user, "), cannot verify user is non-root"}));
  return {};
}

void finish_groups(ProcessUser& user, json::Node pod) {
  for (const json::Node group : pod["spec"]["securityContext"]["supplementalGroups"])
    user.groups.push_back(static_cast<uint32_t>(group.integer()));
  if (const auto group = fs_group(pod)) user.groups.push_back(*group);
  std::sort(user.groups.begin(), user.groups.end());
  user.groups.erase(std::unique(user.groups.begin(), user.groups.end()), user.groups.end());
}

std::string read_from_layers(port::Disk& disk,
                             const Images& images,
                             const Image& image,
                             const std::string& path) {
  for (size_t i = image.layers.size(); i-- > 0;) {
    Result<std::unique_ptr<port::Tree>> tree = disk.tree(images.layer_path(image.layers[i]));
    if (!tree) continue;
    const Result<port::FileStat> found = (*tree)->stat(path);
    if (!found) continue;
    if (found->type != port::FileType::kFile || found->size > kAccountBytesMax) return {};
    Result<std::unique_ptr<port::File>> file = (*tree)->open(path, port::OpenMode::kRead, 0);
    if (!file) return {};
    std::string text(static_cast<size_t>(found->size), '\0');
    const Result<size_t> got = (*file)->read_at(0, text.data(), text.size());
    text.resize(got ? *got : 0);
    return text;
  }
  return {};
}

}  // namespace

std::optional<uint32_t> fs_group(json::Node pod) {
  const json::Node group = pod["spec"]["securityContext"]["fsGroup"];
  if (!group.is_integer()) return std::nullopt;
  return static_cast<uint32_t>(group.integer());
}

AccountFiles read_accounts(port::Disk& disk, const Images& images, const Image& image) {
  return {read_from_layers(disk, images, image, "etc/passwd"),
          read_from_layers(disk, images, image, "etc/group")};
}

Result<ProcessUser> process_user(json::Node pod,
                                 json::Node container,
                                 const Image& image,
                                 const AccountFiles& accounts) {
  const size_t colon = std::min(image.user.find(':'), image.user.size());
  const std::string image_user = image.user.substr(0, colon);
  const std::string image_group = image.user.substr(std::min(colon + 1, image.user.size()));
  const json::Node run_as_user = either(container, pod, "runAsUser");
  const json::Node run_as_group = either(container, pod, "runAsGroup");
  const std::string wanted = run_as_user          ? std::to_string(run_as_user.integer())
                             : image_user.empty() ? "0"
                                                  : image_user;
  ProcessUser user;
  const auto account = find_account(accounts.passwd, wanted);
  if (account) {
    user.uid = account->id;
    user.gid = id_of(account->fields[3]).value_or(0);
    if (account->fields.size() > 5 && !account->fields[5].empty()) user.home = account->fields[5];
    add_memberships(user, accounts.group, account->name);
  } else if (const auto id = id_of(wanted)) {
    user.uid = *id;
  } else {
    return fail(Code::kBadRequest,
                join({"unable to find user ", wanted, ": no matching entries in passwd file"}));
  }
  if (run_as_group) {
    user.gid = static_cast<uint32_t>(run_as_group.integer());
  } else if (!run_as_user && !image_group.empty()) {
    const auto group = find_account(accounts.group, image_group);
    const auto id = group ? std::optional<uint32_t>(group->id) : id_of(image_group);
    if (!id)
      return fail(Code::kBadRequest, join({"unable to find group ", image_group,
                                           ": no matching entries in group file"}));
    user.gid = *id;
  }
  TRY(check_not_root(pod, container, user, image_user));
  finish_groups(user, pod);
  return user;
}

}  // namespace coracle::node
