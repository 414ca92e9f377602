// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/pod_standards.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

using Names = std::vector<std::string_view>;
using Test = bool (*)(json::Node container);

template <class F>
void each_container(json::Node spec, F&& f) {
  for (std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
    for (const json::Node container : spec[list])
      f(container);
  }
}

Names those(json::Node spec, Test test) {
  Names names;
  each_container(spec, [&](json::Node container) {
    if (test(container)) names.push_back(container["name"].string());
  });
  return names;
}

std::string quoted(const Names& names) {
  std::string text;
  for (std::string_view each : names)
    text += join({text.empty() ? "\"" : ", \"", each, "\""});
  return text;
}

std::string plural(std::string_view noun, const Names& names) {
  return join({noun, names.size() == 1 ? " " : "s ", quoted(names)});
}

// Kept sorted.
void add_once(Names& names, std::string_view name) {
  const auto at = std::lower_bound(names.begin(), names.end(), name);
  if (at == names.end() || *at != name) names.insert(at, name);
}

void extend(std::string& list, std::string_view item) {
  list += join({list.empty() ? "" : ", ", item});
}

// "pod and container "a"": who has set what may not be set.
std::string setters(bool pod, const Names& containers) {
  const std::string_view both = pod && !containers.empty() ? " and " : "";
  return join({pod ? "pod" : "", both,
               containers.empty() ? std::string() : plural("container", containers)});
}

void add(Violations& found, std::string_view reason, std::string detail) {
  found.push_back({reason, std::move(detail)});
}

json::Node context(json::Node of) {
  return of["securityContext"];
}

bool is_listed(std::string_view word, std::string_view words) {
  for (std::string_view each : split(words, ',')) {
    if (each == word) return true;
  }
  return false;
}

// --- baseline

// Of AppArmor and seccomp. (Annotations that named AppArmor profiles once mean nothing here.)
bool is_unconfined(json::Node of, std::string_view profile) {
  return context(of)[profile]["type"].string() == "Unconfined";
}

// Who has chosen a profile that is none; "" for nobody.
std::string unconfined(json::Node spec, std::string_view profile) {
  Names names;
  each_container(spec, [&](json::Node container) {
    if (is_unconfined(container, profile)) names.push_back(container["name"].string());
  });
  return setters(is_unconfined(spec, profile), names);
}

void check_app_armor(json::Node pod, Violations& found) {
  const std::string who = unconfined(pod["spec"], "appArmorProfile");
  if (!who.empty())
    add(found, "forbidden AppArmor profile",
        join({who, " must not set AppArmor profile type to \"Unconfined\""}));
}

constexpr std::string_view kDefaultCapabilities =
    "AUDIT_WRITE,CHOWN,DAC_OVERRIDE,FOWNER,FSETID,KILL,MKNOD,NET_BIND_SERVICE,SETFCAP,SETGID,"
    "SETPCAP,SETUID,SYS_CHROOT";

// "container "a" must not include "X" in securityContext.capabilities.add", or nothing.
std::string added_capabilities(json::Node spec, std::string_view allowed) {
  Names names;
  Names added;
  each_container(spec, [&](json::Node container) {
    bool bad = false;
    for (const json::Node each : context(container)["capabilities"]["add"]) {
      if (is_listed(each.string(), allowed)) continue;
      add_once(added, each.string());
      bad = true;
    }
    if (bad) names.push_back(container["name"].string());
  });
  if (names.empty()) return {};
  return join({plural("container", names), " must not include ", quoted(added),
               " in securityContext.capabilities.add"});
}

void check_capabilities(json::Node pod, Violations& found) {
  std::string detail = added_capabilities(pod["spec"], kDefaultCapabilities);
  if (!detail.empty()) add(found, "non-default capabilities", std::move(detail));
}

void check_host_namespaces(json::Node pod, Violations& found) {
  std::string detail;
  for (std::string_view name : {"hostNetwork", "hostPID", "hostIPC"}) {
    if (pod["spec"][name].boolean()) extend(detail, join({name, "=true"}));
  }
  if (!detail.empty()) add(found, "host namespaces", std::move(detail));
}

void check_host_paths(json::Node pod, Violations& found) {
  Names names;
  for (const json::Node volume : pod["spec"]["volumes"]) {
    if (volume["hostPath"]) names.push_back(volume["name"].string());
  }
  if (!names.empty()) add(found, "hostPath volumes", plural("volume", names));
}

void check_host_ports(json::Node pod, Violations& found) {
  Names names;
  std::vector<int64_t> ports;
  each_container(pod["spec"], [&](json::Node container) {
    const size_t before = ports.size();
    for (const json::Node port : container["ports"]) {
      if (port["hostPort"].integer() != 0) ports.push_back(port["hostPort"].integer());
    }
    if (ports.size() > before) names.push_back(container["name"].string());
  });
  if (names.empty()) return;
  std::sort(ports.begin(), ports.end(), [](int64_t a, int64_t b) {
    return std::to_string(a) < std::to_string(b);  // as upstream: they are texts
  });
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  std::string listed;
  for (int64_t port : ports)
    extend(listed, std::to_string(port));
  add(found, "hostPort",
      join({plural("container", names), names.size() == 1 ? " uses " : " use ",
            ports.size() == 1 ? "hostPort " : "hostPorts ", listed}));
}

void check_privileged(json::Node pod, Violations& found) {
  const Names names = those(
      pod["spec"], [](json::Node container) { return context(container)["privileged"].boolean(); });
  if (names.empty()) return;
  add(found, "privileged",
      join({plural("container", names), " must not set securityContext.privileged=true"}));
}

bool check_seccomp_set(json::Node pod, Violations& found) {
  const std::string who = unconfined(pod["spec"], "seccompProfile");
  if (who.empty()) return false;
  add(found, "seccompProfile",
      join({who, " must not set securityContext.seccompProfile.type to \"Unconfined\""}));
  return true;
}

void check_seccomp(json::Node pod, Violations& found) {
  check_seccomp_set(pod, found);
}

constexpr std::string_view kSafeSysctls =
    "kernel.shm_rmid_forced,net.ipv4.ip_local_port_range,net.ipv4.ip_local_reserved_ports,"
    "net.ipv4.ip_unprivileged_port_start,net.ipv4.ping_group_range,net.ipv4.tcp_fin_timeout,"
    "net.ipv4.tcp_keepalive_intvl,net.ipv4.tcp_keepalive_probes,net.ipv4.tcp_keepalive_time,"
    "net.ipv4.tcp_rmem,net.ipv4.tcp_syncookies,net.ipv4.tcp_wmem";

void check_sysctls(json::Node pod, Violations& found) {
  std::string detail;
  for (const json::Node sysctl : context(pod["spec"])["sysctls"]) {
    const std::string_view name = sysctl["name"].string();
    if (!is_listed(name, kSafeSysctls)) extend(detail, name);
  }
  if (!detail.empty()) add(found, "forbidden sysctls", std::move(detail));
}

// --- restricted

void check_escalation(json::Node pod, Violations& found) {
  const Names names = those(pod["spec"], [](json::Node container) {
    return context(container)["allowPrivilegeEscalation"].boolean(true);
  });
  if (names.empty()) return;
  add(found, "allowPrivilegeEscalation != false",
      join({plural("container", names),
            " must set securityContext.allowPrivilegeEscalation=false"}));
}

void check_dropped(json::Node pod, Violations& found) {
  const Names keeping = those(pod["spec"], [](json::Node container) {
    for (const json::Node each : context(container)["capabilities"]["drop"]) {
      if (each.string() == "ALL") return false;
    }
    return true;
  });
  std::string detail;
  if (!keeping.empty())
    detail = join(
        {plural("container", keeping), " must set securityContext.capabilities.drop=[\"ALL\"]"});
  const std::string added = added_capabilities(pod["spec"], "NET_BIND_SERVICE");
  if (!added.empty()) detail += join({detail.empty() ? "" : "; ", added});
  if (!detail.empty()) add(found, "unrestricted capabilities", std::move(detail));
}

constexpr std::string_view kFreeVolumes =
    "configMap,csi,downwardAPI,emptyDir,ephemeral,image,persistentVolumeClaim,projected,secret";

void check_volumes(json::Node pod, Violations& found) {
  Names names;
  Names types;
  for (const json::Node volume : pod["spec"]["volumes"]) {
    for (const json::Node source : volume) {
      if (source.key() == "name" || is_listed(source.key(), kFreeVolumes)) continue;
      names.push_back(volume["name"].string());
      add_once(types, source.key());
    }
  }
  if (names.empty()) return;
  add(found, "restricted volume types",
      join({plural("volume", names), names.size() == 1 ? " uses " : " use ",
            plural("restricted volume type", types)}));
}

bool says_root(json::Node of) {
  return !context(of)["runAsNonRoot"].boolean(true);
}

bool says_nothing(json::Node container) {
  return !context(container)["runAsNonRoot"];
}

void check_non_root(json::Node pod, Violations& found) {
  constexpr std::string_view kReason = "runAsNonRoot != true";
  const json::Node spec = pod["spec"];
  const Names bad = those(spec, says_root);
  if (says_root(spec) || !bad.empty())
    return add(
        found, kReason,
        join({setters(says_root(spec), bad), " must not set securityContext.runAsNonRoot=false"}));
  if (context(spec)["runAsNonRoot"].boolean()) return;
  const Names silent = those(spec, says_nothing);
  if (silent.empty()) return;
  add(found, kReason,
      join(
          {"pod or ", plural("container", silent), " must set securityContext.runAsNonRoot=true"}));
}

bool is_root_user(json::Node of) {
  const json::Node user = context(of)["runAsUser"];
  return user && user.integer() == 0;
}

void check_user(json::Node pod, Violations& found) {
  const bool by_pod = is_root_user(pod["spec"]);
  const Names names = those(pod["spec"], is_root_user);
  if (by_pod || !names.empty())
    add(found, "runAsUser=0", join({setters(by_pod, names), " must not set runAsUser=0"}));
}

void check_seccomp_said(json::Node pod, Violations& found) {
  if (check_seccomp_set(pod, found)) return;
  if (context(pod["spec"])["seccompProfile"]["type"]) return;
  const Names silent = those(pod["spec"], [](json::Node container) {
    return !context(container)["seccompProfile"]["type"];
  });
  if (silent.empty()) return;
  add(found, "seccompProfile",
      join({"pod or ", plural("container", silent),
            " must set securityContext.seccompProfile.type to \"RuntimeDefault\" or "
            "\"Localhost\""}));
}

struct Check {
  bool baseline;
  bool restricted;
  void (*run)(json::Node pod, Violations& found);
};
// A baseline check that a restricted one is stricter than is not made twice. SELinux options,
// procMount and Windows have no check: no valid Pod sets them.
constexpr Check kChecks[] = {
    {true, true, check_app_armor},       {true, false, check_capabilities},
    {true, true, check_host_namespaces}, {true, false, check_host_paths},
    {true, true, check_host_ports},      {true, true, check_privileged},
    {true, false, check_seccomp},        {true, true, check_sysctls},
    {false, true, check_escalation},     {false, true, check_dropped},
    {false, true, check_volumes},        {false, true, check_non_root},
    {false, true, check_user},           {false, true, check_seccomp_said},
};

}  // namespace

Violations violations_of(Standard standard, json::Node pod) {
  Violations found;
  if (standard == Standard::kPrivileged) return found;
  for (const Check& check : kChecks) {
    if (standard == Standard::kBaseline ? check.baseline : check.restricted) check.run(pod, found);
  }
  return found;
}

}  // namespace coracle::apiserver
