// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/kernel_check.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "port/linux/file.h"
#include "port/linux/kernel_probe.h"

namespace coracle::port_linux {
namespace {

constexpr int kPatienceMs = 10'000;  // a module may have to be loaded from slow flash
constexpr size_t kAnswerBytesMax = 4096;
constexpr bool kNeeded = true;
constexpr bool kWanted = false;  // "limited" without it

constexpr std::string_view kMemoryRemedy =
    "build the kernel with CONFIG_MEMCG; if it is (Raspberry Pi), add cgroup_enable=memory to the "
    "kernel's command line";
constexpr std::string_view kUpperRemedy =
    "put data-dir on ext4, f2fs, xfs, btrfs or ubifs, not on overlayfs, vfat or nfs";

constexpr Probe kProbes[] = {
    {"network namespace", "NET_NS", kNeeded, probe_namespace, "net"},
    {"process namespace", "PID_NS", kNeeded, probe_namespace, "pid"},
    {"host name namespace", "UTS_NS", kNeeded, probe_namespace, "uts"},
    {"ipc namespace", "IPC_NS", kNeeded, probe_namespace, "ipc"},
    {"user namespace", "USER_NS", kWanted, probe_namespace, "user",
     "no pods with hostUsers: false"},
    {"process file system", "PROC_FS", kNeeded, probe_mount, "proc"},
    {"tmpfs", "TMPFS", kNeeded, probe_mount, "tmpfs"},
    {"message queues", "POSIX_MQUEUE", kNeeded, probe_mount, "mqueue"},
    {"terminals", "UNIX98_PTYS", kNeeded, probe_mount, "devpts"},
    {"overlay", "OVERLAY_FS", kNeeded, probe_overlay, "tmpfs"},
    {"overlay on data-dir", "", kNeeded, probe_overlay, "", "", kUpperRemedy},
    {"paths kept beneath", "", kNeeded, probe_openat2, "", "", "use Linux 5.6 or later"},
    {"bridge", "BRIDGE", kNeeded, probe_bridge},
    {"veth pair", "VETH", kNeeded, probe_veth},
    {"nftables", "NF_TABLES NF_TABLES_IPV4", kNeeded, probe_nft_chain, "filter"},
    {"nftables nat", "NFT_NAT", kNeeded, probe_nft_chain, "nat"},
    {"nftables ct", "NFT_CT NF_CONNTRACK", kNeeded, probe_nft_expression, "ct"},
    {"nftables masquerade", "NFT_MASQ", kNeeded, probe_nft_expression, "masq"},
    {"nftables numgen", "NFT_NUMGEN", kNeeded, probe_nft_expression, "numgen"},
    {"nftables reject", "NFT_REJECT", kNeeded, probe_nft_expression, "reject"},
    {"nftables fib", "NFT_FIB_IPV4", kWanted, probe_nft_expression, "fib",
     "no Services of type NodePort or LoadBalancer"},
    {"packet filter", "NF_TABLES NFT_NAT", kNeeded, probe_packet_filter},
    {"tracked flows", "NF_CT_NETLINK", kWanted, probe_conntrack_netlink, "",
     "UDP clients stay with a backend that is gone"},
    {"control groups", "CGROUPS", kNeeded, probe_cgroups, "", "",
     "mount cgroup2 on /sys/fs/cgroup at boot"},
    {"limit of processes", "CGROUP_PIDS", kNeeded, probe_cgroup, "pids"},
    {"share of cpu", "CGROUP_SCHED FAIR_GROUP_SCHED", kNeeded, probe_cgroup, "cpu"},
    {"limit of cpu", "CFS_BANDWIDTH", kWanted, probe_cpu_quota, "",
     "containers with a cpu limit do not start"},
    {"limit of memory", "MEMCG", kWanted, probe_cgroup, "memory",
     "containers with a memory limit do not start", kMemoryRemedy},
    {"freezer", "CGROUP_FREEZER", kNeeded, probe_freezer},
    {"device access", "CGROUP_DEVICE CGROUP_BPF BPF_SYSCALL", kNeeded, probe_devices},
    {"system call filter", "SECCOMP SECCOMP_FILTER", kWanted, probe_seccomp, "",
     "pods with a seccompProfile do not start"},
    {"session keyrings", "KEYS", kWanted, probe_keys, "", "containers share the daemon's keyring"},
};

// "present\0detail\0remedy", from child to parent.
std::string written(const Outcome& outcome) {
  std::string text(outcome.present ? "1" : "0");
  text += '\0';
  text.append(outcome.detail, 0, kAnswerBytesMax / 4).append(1, '\0');
  return text.append(outcome.remedy, 0, kAnswerBytesMax / 4);
}

Outcome read_back(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '\0');
  if (parts.size() != 3) return {false, "the probe ended early", {}};
  return {parts[0] == "1", std::string(parts[1]), std::string(parts[2])};
}

[[noreturn]] void answer(const Probe& probe, const std::string& scratch, int to) {
  const std::string text = written(probe.run(scratch, probe.argument));
  static_cast<void>(!::write(to, text.data(), text.size()));
  ::_exit(0);
}

// Reads until the child closes its end; a child that hangs is given up.
std::string listen_to(int from) {
  std::string text;
  std::array<char, 512> some{};
  while (text.size() < kAnswerBytesMax) {
    pollfd waiting{from, POLLIN, 0};
    if (::poll(&waiting, 1, kPatienceMs) <= 0) return {};
    const ssize_t got = ::read(from, some.data(), some.size());
    if (got <= 0) break;
    text.append(some.data(), static_cast<size_t>(got));
  }
  return text;
}

Outcome run_in_child(const Probe& probe, const std::string& scratch) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return refused("pipe", errno);
  Fd from(ends[0]);
  Fd to(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return refused("fork", errno);
  if (child == 0) answer(probe, scratch, to.get());
  to.reset();
  const std::string text = listen_to(from.get());
  ::kill(child, SIGKILL);  // done anyway, unless it hung
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return read_back(text);
}

std::string usual_remedy(std::string_view symbol) {
  if (symbol.empty()) return {};
  std::string text("build the kernel with");
  for (const std::string_view each : split(symbol, ' '))
    text += join({" CONFIG_", each});
  return text;
}

}  // namespace

Outcome works(std::string detail) {
  return {true, std::move(detail), {}};
}

Outcome refused(std::string_view what, int errno_value) {
  const std::string why = join({what, ": ", std::strerror(errno_value)});
  const bool forbidden = errno_value == EPERM || errno_value == EACCES;
  return {false, why, forbidden ? "run as root on the machine itself, not in a container" : ""};
}

std::span<const Probe> kernel_probes() {
  return kProbes;
}

Finding try_probe(const Probe& probe, const std::string& scratch_directory) {
  std::string scratch = scratch_directory + "/coracle-check-XXXXXX";
  const bool has_scratch = ::mkdtemp(scratch.data()) != nullptr;
  Outcome outcome = has_scratch ? run_in_child(probe, scratch)
                                : refused("directory in " + scratch_directory, errno);
  Fd parent(::open(scratch_directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (has_scratch && parent.valid())
    static_cast<void>(remove_beneath(parent.get(), scratch.substr(scratch.rfind('/') + 1)));
  Finding finding{
      probe.feature, probe.symbol, probe.needed, outcome.present, std::move(outcome.detail), {}};
  if (finding.present) return finding;
  if (!probe.without.empty()) finding.detail += join({"; ", probe.without});
  finding.remedy = std::move(outcome.remedy);
  if (finding.remedy.empty()) finding.remedy = std::string(probe.remedy);
  if (finding.remedy.empty()) finding.remedy = usual_remedy(probe.symbol);
  return finding;
}

std::vector<Finding> check_kernel(const std::string& scratch_directory) {
  std::vector<Finding> findings;
  for (const Probe& probe : kProbes)
    findings.push_back(try_probe(probe, scratch_directory));
  return findings;
}

}  // namespace coracle::port_linux
