// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/bundle.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "api/quantity.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "json/writer.h"
#include "node/seccomp.h"
#include "node/spec.h"

namespace coracle::node {

namespace {

constexpr int64_t kPeriod = 100'000;  // us, of the CPU quota

// linux/capability.h, by number.
constexpr std::array<std::string_view, 41> kCapabilities = {"CHOWN",
                                                            "DAC_OVERRIDE",
                                                            "DAC_READ_SEARCH",
                                                            "FOWNER",
                                                            "FSETID",
                                                            "KILL",
                                                            "SETGID",
                                                            "SETUID",
                                                            "SETPCAP",
                                                            "LINUX_IMMUTABLE",
                                                            "NET_BIND_SERVICE",
                                                            "NET_BROADCAST",
                                                            "NET_ADMIN",
                                                            "NET_RAW",
                                                            "IPC_LOCK",
                                                            "IPC_OWNER",
                                                            "SYS_MODULE",
                                                            "SYS_RAWIO",
                                                            "SYS_CHROOT",
                                                            "SYS_PTRACE",
                                                            "SYS_PACCT",
                                                            "SYS_ADMIN",
                                                            "SYS_BOOT",
                                                            "SYS_NICE",
                                                            "SYS_RESOURCE",
                                                            "SYS_TIME",
                                                            "SYS_TTY_CONFIG",
                                                            "MKNOD",
                                                            "LEASE",
                                                            "AUDIT_WRITE",
                                                            "AUDIT_CONTROL",
                                                            "SETFCAP",
                                                            "MAC_OVERRIDE",
                                                            "MAC_ADMIN",
                                                            "SYSLOG",
                                                            "WAKE_ALARM",
                                                            "BLOCK_SUSPEND",
                                                            "AUDIT_READ",
                                                            "PERFMON",
                                                            "BPF",
                                                            "CHECKPOINT_RESTORE"};

constexpr std::array<std::string_view, 14> kDefaultCapabilities = {
    "CHOWN",   "DAC_OVERRIDE", "FSETID",           "FOWNER",
    "MKNOD",   "NET_RAW",      "SETGID",           "SETUID",
    "SETFCAP", "SETPCAP",      "NET_BIND_SERVICE", "SYS_CHROOT",
    "KILL",    "AUDIT_WRITE"};

constexpr std::array<std::string_view, 10> kMaskedPaths = {
    "/proc/acpi",          "/proc/asound",     "/proc/kcore",       "/proc/keys",
    "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
    "/proc/scsi",          "/sys/firmware"};
constexpr std::array<std::string_view, 5> kReadOnlyPaths = {"/proc/bus", "/proc/fs", "/proc/irq",
                                                            "/proc/sys", "/proc/sysrq-trigger"};

constexpr std::array<std::string_view, 12> kSafeSysctls = {"kernel.shm_rmid_forced",
                                                           "net.ipv4.ip_local_port_range",
                                                           "net.ipv4.tcp_syncookies",
                                                           "net.ipv4.ping_group_range",
                                                           "net.ipv4.ip_unprivileged_port_start",
                                                           "net.ipv4.ip_local_reserved_ports",
                                                           "net.ipv4.tcp_keepalive_time",
                                                           "net.ipv4.tcp_fin_timeout",
                                                           "net.ipv4.tcp_keepalive_intvl",
                                                           "net.ipv4.tcp_keepalive_probes",
                                                           "net.ipv4.tcp_rmem",
                                                           "net.ipv4.tcp_wmem"};

struct BaseMount {
  std::string_view target;
  std::string_view type;
  std::string_view options;  // comma-separated
};
constexpr std::array<BaseMount, 6> kBaseMounts = {{
    {"/proc", "proc", "nosuid,noexec,nodev"},
    {"/dev", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"},
    {"/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"},
    {"/dev/mqueue", "mqueue", "nosuid,noexec,nodev"},
    {"/sys", "sysfs", "nosuid,noexec,nodev,ro"},
    {"/sys/fs/cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"},
}};

using Strings = std::vector<std::string>;

bool contains(json::Node list, std::string_view name) {
  for (const json::Node item : list) {
    std::string_view text = item.string();
    if (text.starts_with("CAP_")) text.remove_prefix(4);
    if (text == name) return true;
  }
  return false;
}

class Config {
 public:
  explicit Config(const Bundle& bundle)
      : b_(bundle),
        out_(text_),
        security_(bundle.container["securityContext"]) {}
  std::string write();

 private:
  void process();
  void capabilities();
  void mounts();
  void mount(std::string_view target,
             std::string_view type,
             std::string_view source,
             const Strings& options);
  void linux_part();
  void namespaces();
  void resources();
  void sysctls();
  void seccomp();
  void list(std::string_view name, const Strings& items);
  bool privileged() const { return security_["privileged"].boolean(); }
  bool has_capability(size_t index) const;
  json::Node pod_security() const { return b_.pod["spec"]["securityContext"]; }

  const Bundle& b_;
  std::string text_;
  json::Writer out_;
  json::Node security_;
};

std::string Config::write() {
  out_.begin_object();
  out_.member("ociVersion", "1.0.2");
  process();
  out_.key("root");
  out_.begin_object();
  out_.member("path", "rootfs");
  out_.member("readonly", security_["readOnlyRootFilesystem"].boolean());
  out_.end_object();
  mounts();
  linux_part();
  out_.end_object();
  return std::move(text_);
}

void Config::list(std::string_view name, const Strings& items) {
  out_.key(name);
  out_.begin_array();
  for (const std::string& item : items)
    out_.value(std::string_view(item));
  out_.end_array();
}

void Config::process() {
  out_.key("process");
  out_.begin_object();
  out_.member("terminal", b_.container["tty"].boolean());
  out_.key("user");
  out_.begin_object();
  out_.member("uid", int64_t{b_.user.uid});
  out_.member("gid", int64_t{b_.user.gid});
  out_.key("additionalGids");
  out_.begin_array();
  for (const uint32_t group : b_.user.groups)
    out_.value(int64_t{group});
  out_.end_array();
  out_.end_object();
  list("args", b_.arguments);
  list("env", b_.environment);
  std::string_view directory = b_.container["workingDir"].string(b_.image.work_directory);
  out_.member("cwd", directory.empty() ? std::string_view("/") : directory);
  capabilities();
  out_.member("noNewPrivileges", !security_["allowPrivilegeEscalation"].boolean(true));
  out_.member("oomScoreAdj", b_.oom_score_adjust);
  out_.end_object();
}

bool Config::has_capability(size_t index) const {
  if ((b_.capabilities >> index & 1) == 0) return false;
  if (privileged()) return true;
  const std::string_view name = kCapabilities[index];
  const json::Node change = security_["capabilities"];
  if (contains(change["add"], name) || contains(change["add"], "ALL"))
    return !contains(change["drop"], name);
  if (contains(change["drop"], name) || contains(change["drop"], "ALL")) return false;
  return std::find(kDefaultCapabilities.begin(), kDefaultCapabilities.end(), name) !=
         kDefaultCapabilities.end();
}

void Config::capabilities() {
  Strings held;
  for (size_t i = 0; i < kCapabilities.size(); ++i) {
    if (has_capability(i)) held.push_back(join({"CAP_", kCapabilities[i]}));
  }
  out_.key("capabilities");
  out_.begin_object();
  for (const std::string_view set : {"bounding", "effective", "permitted"})
    list(set, held);
  out_.end_object();
}

void Config::mount(std::string_view target,
                   std::string_view type,
                   std::string_view source,
                   const Strings& options) {
  out_.begin_object();
  out_.member("destination", target);
  out_.member("type", type);
  out_.member("source", source);
  list("options", options);
  out_.end_object();
}

void Config::mounts() {
  out_.key("mounts");
  out_.begin_array();
  for (const BaseMount& base : kBaseMounts) {
    Strings options;
    for (const std::string_view option : split(base.options, ',')) {
      const bool writable = privileged() && option == "ro";
      options.emplace_back(writable ? "rw" : option);
    }
    mount(base.target, base.type, base.type, options);
  }
  for (const BindMount& bind : b_.binds)
    mount(bind.target, "bind", bind.source,
          {"rbind", bind.propagation, bind.read_only ? "ro" : "rw"});
  out_.end_array();
}

void Config::linux_part() {
  out_.key("linux");
  out_.begin_object();
  out_.member("cgroupsPath", std::string_view(b_.cgroup_path));
  namespaces();
  resources();
  sysctls();
  if (!privileged() && security_["procMount"].string() != "Unmasked") {
    list("maskedPaths", {kMaskedPaths.begin(), kMaskedPaths.end()});
    list("readonlyPaths", {kReadOnlyPaths.begin(), kReadOnlyPaths.end()});
  }
  seccomp();
  out_.end_object();
}

// Network, uts and ipc are inherited: the shim that starts the container holds the pod's. Only when
// the pod sets sysctls are network and ipc named, because the runtime refuses sysctls of namespaces
// that it does not know of.
void Config::namespaces() {
  out_.key("namespaces");
  out_.begin_array();
  for (const std::string_view type : {"mount", "pid"}) {
    if (type == "pid" && b_.pod["spec"]["hostPID"].boolean()) continue;
    out_.begin_object();
    out_.member("type", type);
    out_.end_object();
  }
  const bool names_all = pod_security()["sysctls"].size() > 0;
  for (const std::string_view type : {"network", "ipc"}) {
    if (!names_all || (type == "network" && b_.pod["spec"]["hostNetwork"].boolean())) continue;
    out_.begin_object();
    out_.member("type", type);
    out_.member("path", std::string_view(join({"/proc/", std::to_string(b_.sandbox_pid), "/ns/",
                                               type == "network" ? "net" : type})));
    out_.end_object();
  }
  out_.end_array();
}

void Config::resources() {
  const json::Node limits = b_.container["resources"]["limits"];
  const json::Node requests = b_.container["resources"]["requests"];
  const int64_t memory = api::quantity_value(limits["memory"].string()).value_or(0);
  const int64_t cpu = api::quantity_millis(limits["cpu"].string()).value_or(0);
  const int64_t asked = api::quantity_millis(requests["cpu"].string()).value_or(cpu);
  out_.key("resources");
  out_.begin_object();
  out_.key("devices");
  out_.begin_array();
  out_.begin_object();
  out_.member("allow", privileged());
  out_.member("access", "rwm");
  out_.end_object();
  out_.end_array();
  if (memory > 0) {
    out_.key("memory");
    out_.begin_object();
    out_.member("limit", memory);
    out_.end_object();
  }
  out_.key("cpu");
  out_.begin_object();
  out_.member("shares", std::clamp<int64_t>(asked * 1024 / 1000, 2, 262'144));
  if (cpu > 0) {
    out_.member("quota", std::max<int64_t>(cpu * kPeriod / 1000, 1000));
    out_.member("period", kPeriod);
  }
  out_.end_object();
  out_.key("pids");
  out_.begin_object();
  out_.member("limit", static_cast<int64_t>(limits::kPidsPerPodMax));
  out_.end_object();
  out_.end_object();
}

void Config::sysctls() {
  const json::Node list = pod_security()["sysctls"];
  if (list.size() == 0) return;
  out_.key("sysctl");
  out_.begin_object();
  for (const json::Node sysctl : list)
    out_.member(sysctl["name"].string(), sysctl["value"].string());
  out_.end_object();
}

void Config::seccomp() {
  if (privileged()) return;
  const json::Node own = security_["seccompProfile"];
  const json::Node profile = own ? own : pod_security()["seccompProfile"];
  if (profile["type"].string() != "RuntimeDefault")
    return;  // unconfined, as upstream without seccompDefault
  out_.key("seccomp");
  out_.raw(default_seccomp());
}

}  // namespace

std::string oci_config(const Bundle& bundle) {
  return Config(bundle).write();
}

int64_t oom_score_adjust(json::Node pod,
                         json::Node container,
                         int64_t memory_capacity,
                         int64_t own) {
  const Qos qos = qos_of(pod);
  int64_t score = 1000;
  if (qos == Qos::kGuaranteed) score = -997;
  if (qos == Qos::kBurstable) {  // upstream pkg/kubelet/qos/policy.go
    const json::Node resources = container["resources"];
    const std::string_view asked =
        resources["requests"]["memory"].string(resources["limits"]["memory"].string());
    const int64_t bytes = api::quantity_value(asked).value_or(0);
    const double share =
        memory_capacity > 0 ? static_cast<double>(bytes) / static_cast<double>(memory_capacity) : 0;
    score = std::clamp<int64_t>(1000 - static_cast<int64_t>(1000 * share), 3, 999);
  }
  return std::max(score, own);
}

std::string forbidden_sysctl(json::Node pod) {
  for (const json::Node sysctl : pod["spec"]["securityContext"]["sysctls"]) {
    const std::string_view name = sysctl["name"].string();
    const bool is_safe =
        std::find(kSafeSysctls.begin(), kSafeSysctls.end(), name) != kSafeSysctls.end();
    const bool is_hosts = pod["spec"]["hostNetwork"].boolean() && name.starts_with("net.");
    if (!is_safe || is_hosts) return join({"forbidden sysctl: \"", name, "\" not allowlisted"});
  }
  return {};
}

}  // namespace coracle::node
