// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/seccomp.h"

#include <string_view>

#include "json/writer.h"

namespace coracle::node {

namespace {

// Kernel state, other processes' memory, clocks, mounts, modules, keys: the calls that Docker
// documents as blocked.
constexpr std::string_view kRefused[] = {"acct",
                                         "add_key",
                                         "bpf",
                                         "clock_adjtime",
                                         "clock_settime",
                                         "create_module",
                                         "delete_module",
                                         "finit_module",
                                         "fsconfig",
                                         "fsmount",
                                         "fsopen",
                                         "fspick",
                                         "get_kernel_syms",
                                         "get_mempolicy",
                                         "init_module",
                                         "io_uring_enter",
                                         "io_uring_register",
                                         "io_uring_setup",
                                         "ioperm",
                                         "iopl",
                                         "kcmp",
                                         "kexec_file_load",
                                         "kexec_load",
                                         "keyctl",
                                         "lookup_dcookie",
                                         "mbind",
                                         "mount",
                                         "move_mount",
                                         "move_pages",
                                         "name_to_handle_at",
                                         "nfsservctl",
                                         "open_by_handle_at",
                                         "open_tree",
                                         "perf_event_open",
                                         "pivot_root",
                                         "process_vm_readv",
                                         "process_vm_writev",
                                         "query_module",
                                         "quotactl",
                                         "reboot",
                                         "request_key",
                                         "set_mempolicy",
                                         "setns",
                                         "settimeofday",
                                         "swapoff",
                                         "swapon",
                                         "sysfs",
                                         "umount",
                                         "umount2",
                                         "userfaultfd",
                                         "vm86"};

// CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET
constexpr int64_t kNamespaceFlags = 0x7E020000;

void refuse_masked(json::Writer& out, std::string_view call) {
  // One rule a flag: a call is refused if it sets any of them.
  for (int64_t flag = 0x00020000; flag <= 0x40000000; flag <<= 1) {
    if ((kNamespaceFlags & flag) == 0) continue;
    out.begin_object();
    out.key("names");
    out.begin_array();
    out.value(call);
    out.end_array();
    out.member("action", "SCMP_ACT_ERRNO");
    out.member("errnoRet", 1);
    out.key("args");
    out.begin_array();
    out.begin_object();
    out.member("index", 0);
    out.member("value", flag);
    out.member("valueTwo", flag);
    out.member("op", "SCMP_CMP_MASKED_EQ");
    out.end_object();
    out.end_array();
    out.end_object();
  }
}

}  // namespace

std::string default_seccomp() {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.member("defaultAction", "SCMP_ACT_ALLOW");
  out.key("syscalls");
  out.begin_array();
  out.begin_object();
  out.key("names");
  out.begin_array();
  for (const std::string_view name : kRefused)
    out.value(name);
  out.end_array();
  out.member("action", "SCMP_ACT_ERRNO");
  out.member("errnoRet", 1);
  out.end_object();
  refuse_masked(out, "unshare");
  refuse_masked(out, "clone");
  out.end_array();
  out.end_object();
  return text;
}

}  // namespace coracle::node
