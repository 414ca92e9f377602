// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kinds/checks.h"
#include "api/kinds/pod_template.h"

namespace coracle::api {
namespace {

constexpr Field kCapabilitiesFields[] = {
    list_of("add", 1, Type::kString).about("Capabilities to add."),
    list_of("drop", 2, Type::kString).about("Capabilities to drop; ALL drops every one."),
};
constexpr Message kCapabilities{"io.k8s.api.core.v1.Capabilities", kCapabilitiesFields,
                                "Capabilities lists POSIX capabilities to add and to drop."};

constexpr Field kSELinuxOptionsFields[] = {
    text("user", 1).about("SELinux user."),
    text("role", 2).about("SELinux role."),
    text("type", 3).about("SELinux type."),
    text("level", 4).about("SELinux level."),
};
constexpr Message kSELinuxOptions{"io.k8s.api.core.v1.SELinuxOptions", kSELinuxOptionsFields,
                                  "SELinuxOptions is not supported by Coracle yet."};

constexpr Field kAppArmorProfileFields[] = {
    text("type", 1)
        .required()
        .one_of("Localhost|RuntimeDefault|Unconfined")
        .about("RuntimeDefault, Unconfined or Localhost."),
    text("localhostProfile", 2).about("For Localhost: name of a profile loaded on the node."),
};
constexpr Message kAppArmorProfile{"io.k8s.api.core.v1.AppArmorProfile", kAppArmorProfileFields,
                                   "AppArmorProfile chooses an AppArmor profile."};

constexpr Field kSeccompProfileFields[] = {
    text("type", 1)
        .required()
        .one_of("Localhost|RuntimeDefault|Unconfined")
        .about("RuntimeDefault, Unconfined or Localhost."),
    text("localhostProfile", 2).about("For Localhost: file below the node's profile directory."),
};
constexpr Message kSeccompProfile{"io.k8s.api.core.v1.SeccompProfile", kSeccompProfileFields,
                                  "SeccompProfile chooses the system calls that are allowed."};

constexpr Field kSysctlFields[] = {
    text("name", 1).required().about("Name of the parameter."),
    text("value", 2).required().about("Value of the parameter."),
};
constexpr Message kSysctl{"io.k8s.api.core.v1.Sysctl", kSysctlFields,
                          "Sysctl is a kernel parameter."};

constexpr Field kWindowsSecurityContextOptionsFields[] = {
    text("gmsaCredentialSpecName", 1).about("For Windows."),
    text("gmsaCredentialSpec", 2).about("For Windows."),
    text("runAsUserName", 3).about("For Windows."),
    boolean("hostProcess", 4).about("For Windows."),
};
constexpr Message kWindowsSecurityContextOptions{
    "io.k8s.api.core.v1.WindowsSecurityContextOptions", kWindowsSecurityContextOptionsFields,
    "WindowsSecurityContextOptions is for Windows and refused by Coracle."};

constexpr Field kSecurityContextFields[] = {
    object("capabilities", 1, kCapabilities).about("Capabilities to add and to drop."),
    boolean("privileged", 2).about("If true, the container has all rights of the node's root."),
    object("seLinuxOptions", 3, kSELinuxOptions)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    int64("runAsUser", 4)
        .must(is_user_id)
        .about("User that the program runs as; that of the image if absent."),
    boolean("runAsNonRoot", 5).about("If true, a program that would run as root is not started."),
    boolean("readOnlyRootFilesystem", 6)
        .about("If true, the root file system cannot be written to."),
    boolean("allowPrivilegeEscalation", 7)
        .about("If false, the program can never gain more rights than its parent."),
    int64("runAsGroup", 8)
        .must(is_group_id)
        .about("Group that the program runs as; that of the image if absent."),
    text("procMount", 9).about("Default; Unmasked is not supported by Coracle yet."),
    object("windowsOptions", 10, kWindowsSecurityContextOptions)
        .must(not_yet)
        .about("Not supported by Coracle: nodes run Linux."),
    object("seccompProfile", 11, kSeccompProfile).about("System calls that are allowed."),
    object("appArmorProfile", 12, kAppArmorProfile).about("AppArmor profile of the program."),
};

constexpr Field kPodSecurityContextFields[] = {
    object("seLinuxOptions", 1, kSELinuxOptions)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    int64("runAsUser", 2).must(is_user_id).about("User that programs run as."),
    boolean("runAsNonRoot", 3).about("If true, a program that would run as root is not started."),
    list_of("supplementalGroups", 4, Type::kInt64).about("Further groups of the programs."),
    int64("fsGroup", 5).must(is_group_id).about("Group that owns the volumes of the Pod."),
    int64("runAsGroup", 6).must(is_group_id).about("Group that programs run as."),
    list("sysctls", 7, kSysctl).about("Kernel parameters of the Pod's namespaces."),
    object("windowsOptions", 8, kWindowsSecurityContextOptions)
        .must(not_yet)
        .about("Not supported by Coracle: nodes run Linux."),
    text("fsGroupChangePolicy", 9)
        .one_of("Always|OnRootMismatch")
        .about("When the ownership of volumes is changed."),
    object("seccompProfile", 10, kSeccompProfile).about("System calls that are allowed."),
    object("appArmorProfile", 11, kAppArmorProfile).about("AppArmor profile of the programs."),
    text("supplementalGroupsPolicy", 12)
        .one_of("Merge|Strict")
        .about("Whether groups of the image are added."),
    text("seLinuxChangePolicy", 13).must(not_yet).about("Not supported by Coracle yet."),
};

}  // namespace

constinit const Message kSecurityContext{"io.k8s.api.core.v1.SecurityContext",
                                         kSecurityContextFields,
                                         "SecurityContext holds security settings of a container."};
constinit const Message kPodSecurityContext{"io.k8s.api.core.v1.PodSecurityContext",
                                            kPodSecurityContextFields,
                                            "PodSecurityContext holds security settings of a Pod."};

}  // namespace coracle::api
