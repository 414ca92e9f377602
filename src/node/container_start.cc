// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/container_start.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"
#include "node/bundle.h"
#include "node/environment.h"
#include "node/pod_files.h"
#include "node/users.h"

namespace coracle::node {

namespace {

constexpr size_t kMountOptionBytesMax = 4000;  // mount(2) takes one page, which may be 4 KiB

Result<> write_open_file(port::Disk& disk,
                         const std::string& path,
                         std::string_view text,
                         uint32_t mode) {
  TRY(disk.write_file(path, text, mode));
  const size_t slash = path.rfind('/');
  const std::unique_ptr<port::Tree> tree = TRY(disk.tree(path.substr(0, slash)));
  return tree->set_mode(path.substr(slash + 1), mode);  // whatever the umask is
}

bool is_mounted(json::Node container, std::string_view path) {
  for (const json::Node mount : container["volumeMounts"]) {
    if (mount["mountPath"].string() == path) return true;
  }
  return false;
}

size_t depth_of(const std::string& path) {
  return static_cast<size_t>(std::count(path.begin(), path.end(), '/')) -
         (path.ends_with('/') ? 1 : 0);
}

class Starter {
 public:
  explicit Starter(const StartContext& context)
      : c_(context),
        around_(context.around),
        uid_(context.record.uid) {}
  Result<port::ContainerStart> run();

 private:
  Result<std::vector<BindMount>> binds(const Variables& variables);
  Result<> pin_sub_path(BindMount& bind);
  Result<port::SandboxMount> root_mount(const std::string& bundle);
  Result<> write_bundle(const std::string& bundle,
                        const Variables& variables,
                        const ProcessUser& user);

  const StartContext& c_;
  Surroundings& around_;
  const std::string& uid_;
  std::vector<port::SandboxMount> pins_;  // of subPaths
};

Result<port::ContainerStart> Starter::run() {
  const json::Node container = c_.container.node;
  port::Disk& disk = around_.ports.disk;
  const Variables variables =
      TRY(pod_variables(around_.client.state(), c_.pod, container, c_.place));
  const AccountFiles accounts = read_accounts(disk, around_.images, c_.image);
  const ProcessUser user = TRY(process_user(c_.pod, container, c_.image, accounts));
  const std::string bundle = bundle_path(around_, uid_, c_.id);
  TRY(disk.remove_tree(bundle));
  TRY(disk.make_directories(bundle + "/rootfs", 0755));
  port::SandboxMount root = TRY(root_mount(bundle));
  TRY(write_bundle(bundle, variables, user));
  port::ContainerStart start;
  start.id = c_.id;
  start.bundle = bundle;
  start.mounts.push_back(std::move(root));
  for (port::SandboxMount& pin : pins_)
    start.mounts.push_back(std::move(pin));
  start.log_path = log_path(around_, uid_, std::string(c_.container.name()), c_.attempt);
  start.log_bytes_max = limits::kLogBytesMax;
  start.log_files_max = static_cast<uint32_t>(limits::kLogFilesMax);
  start.input = container["stdin"].boolean();
  start.terminal = container["tty"].boolean();
  TRY(disk.make_directories(start.log_path.substr(0, start.log_path.rfind('/')), 0755));
  return start;
}

Result<port::SandboxMount> Starter::root_mount(const std::string& bundle) {
  port::Disk& disk = around_.ports.disk;
  for (const std::string_view part : {"/upper", "/work"})
    TRY(disk.make_directories(bundle + std::string(part), 0755));
  std::string lower;
  for (size_t i = c_.image.layers.size(); i-- > 0;) {
    if (!lower.empty()) lower += ':';
    lower += around_.images.layer_path(c_.image.layers[i]);
  }
  if (lower.empty()) {
    TRY(disk.make_directories(bundle + "/empty", 0755));
    lower = bundle + "/empty";
  }
  port::SandboxMount mount{
      "overlay", "overlay", bundle + "/rootfs",
      join({"lowerdir=", lower, ",upperdir=", bundle, "/upper,workdir=", bundle, "/work"})};
  if (mount.options.size() > kMountOptionBytesMax)
    return fail(Code::kTooLarge, "the image has too many layers for one overlay mount");
  return mount;
}

Result<std::vector<BindMount>> Starter::binds(const Variables& variables) {
  const json::Node container = c_.container.node;
  const std::string own = around_.pod_directory(uid_);
  std::vector<BindMount> all;
  for (const std::string_view name : {"hosts", "hostname", "resolv.conf"}) {
    const std::string target = join({"/etc/", name});
    if (!is_mounted(container, target)) all.push_back({join({own, "/etc/", name}), target});
  }
  if (!is_mounted(container, "/dev/shm")) all.push_back({shm_path(around_, uid_), "/dev/shm"});
  const std::string_view message =
      container["terminationMessagePath"].string("/dev/termination-log");
  if (!message.empty()) {
    const std::string path = termination_path(around_, uid_, c_.id);
    TRY(around_.ports.disk.make_directories(path.substr(0, path.rfind('/')), 0711));
    TRY(write_open_file(around_.ports.disk, path, {}, 0666));
    all.push_back({path, std::string(message)});
  }
  const VolumeContext volumes{c_.pod,    around_.client.state(),          around_.ports.disk,
                              own,       around_.pod_run_directory(uid_), c_.place,
                              c_.tokens, around_.ports.clock.wall()};
  for (BindMount& bind : TRY(container_volumes(volumes, container, variables))) {
    if (!bind.sub_path.empty()) TRY(pin_sub_path(bind));
    all.push_back(std::move(bind));
  }
  // A mount on /a must not hide an earlier one on /a/b.
  std::stable_sort(all.begin(), all.end(), [](const BindMount& a, const BindMount& b) {
    return depth_of(a.target) < depth_of(b.target);
  });
  return all;
}

// The sandbox binds it to a place of the bundle that no container can reach, and the runtime takes
// it from there.
Result<> Starter::pin_sub_path(BindMount& bind) {
  port::Disk& disk = around_.ports.disk;
  const std::string directory = bundle_path(around_, uid_, c_.id) + "/sub";
  const std::string place = join({directory, "/", std::to_string(pins_.size())});
  TRY(disk.make_directories(bind.is_file ? directory : place, 0700));
  if (bind.is_file) TRY(disk.write_file(place, {}, 0600));
  pins_.push_back({"subpath", bind.source, place, bind.sub_path});
  bind.source = place;
  return {};
}

Result<> Starter::write_bundle(const std::string& directory,
                               const Variables& variables,
                               const ProcessUser& user) {
  const json::Node container = c_.container.node;
  std::vector<std::string> arguments = process_arguments(c_.image, container, variables);
  if (arguments.empty())
    return fail(Code::kBadRequest,
                "no command specified: neither the image nor the container names one");
  std::vector<std::string> environment = process_environment(c_.image, variables);
  const auto add_default = [&](const std::string& name, const std::string& value) {
    const bool known =
        std::any_of(environment.begin(), environment.end(),
                    [&](const std::string& line) { return line.starts_with(name + "="); });
    if (!known) environment.push_back(join({name, "=", value}));
  };
  add_default("HOSTNAME", pod_hostname(c_.pod));
  add_default("HOME", user.home);
  if (container["tty"].boolean()) add_default("TERM", "xterm");
  const Bundle bundle{
      .pod = c_.pod,
      .container = container,
      .image = c_.image,
      .user = user,
      .arguments = std::move(arguments),
      .environment = std::move(environment),
      .binds = TRY(binds(variables)),
      .sandbox_pid = c_.sandbox_pid,
      .cgroup_path = around_.cgroups.container_path(uid_, c_.id),
      .oom_score_adjust = oom_score_adjust(c_.pod, container, around_.machine.memory_bytes,
                                           around_.machine.own_oom_score),
      .capabilities = around_.machine.capabilities};
  return around_.ports.disk.write_file(directory + "/config.json", oci_config(bundle), 0600);
}

}  // namespace

Result<port::ContainerStart> prepare_container(const StartContext& context) {
  return Starter(context).run();
}

Result<> write_pod_files(Surroundings& around,
                         json::Node pod,
                         const PodRecord& record,
                         const Place& place) {
  port::Disk& disk = around.ports.disk;
  const std::string directory = around.pod_directory(record.uid) + "/etc";
  TRY(disk.make_directories(directory, 0755));
  const Result<std::string> node_hosts = disk.read_file("/etc/hosts", 256 * 1024);
  const Result<std::string> node_resolv = disk.read_file("/etc/resolv.conf", 64 * 1024);
  const std::string hosts =
      hosts_file(pod, place.pod_ip, node_hosts ? *node_hosts : "127.0.0.1\tlocalhost\n",
                 around.options.cluster_domain);
  TRY(write_open_file(disk, directory + "/hosts", hosts, 0644));
  TRY(write_open_file(disk, directory + "/hostname", pod_hostname(pod) + "\n", 0644));
  const ClusterNames names{around.options.cluster_dns, around.options.cluster_domain};
  return write_open_file(disk, directory + "/resolv.conf",
                         resolv_file(pod, node_resolv ? *node_resolv : "", names), 0644);
}

std::string bundle_path(const Surroundings& around, const std::string& uid, const std::string& id) {
  return join({around.pod_directory(uid), "/containers/", id});
}

std::string log_path(const Surroundings& around,
                     const std::string& uid,
                     const std::string& container,
                     int64_t attempt) {
  return join(
      {around.pod_directory(uid), "/logs/", container, "/", std::to_string(attempt), ".log"});
}

std::string termination_path(const Surroundings& around,
                             const std::string& uid,
                             const std::string& id) {
  return join({around.pod_directory(uid), "/termination/", id});
}

std::string shm_path(const Surroundings& around, const std::string& uid) {
  return around.pod_run_directory(uid) + "/shm";
}

}  // namespace coracle::node
