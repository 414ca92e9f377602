// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/cli.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/bytes.h"
#include "port/linux/machine.h"

namespace coracle::daemon {

namespace {

constexpr std::string_view kServerOptions[] = {
    "config",          "data-dir",       "run-dir",   "node-name",
    "node-ip",         "bind-address",   "port",      "write-kubeconfig",
    "tls-san",         "cluster-cidr",   "node-cidr", "service-cidr",
    "cluster-dns",     "cluster-domain", "bridge",    "cgroup-parent",
    "node-label",      "max-pods",       "crun",      "shim",
    "pid-file",        "log-level",      "token",     "join",
    "certificate-life"};
constexpr std::string_view kAgentOptions[] = {
    "config", "data-dir", "run-dir",  "node-name",     "node-ip",    "bind-address",
    "join",   "token",    "bridge",   "cgroup-parent", "node-label", "max-pods",
    "crun",   "shim",     "pid-file", "log-level"};
constexpr std::string_view kMemberOptions[] = {"config", "data-dir", "run-dir", "kubeconfig"};
constexpr std::string_view kTokenOptions[] = {"config", "data-dir", "kubeconfig",
                                              "ttl",    "uses",     "role"};
constexpr std::string_view kKubeconfigOptions[] = {"config", "data-dir", "server", "node-ip",
                                                   "port"};
constexpr std::string_view kImageOptions[] = {"config", "data-dir", "run-dir"};
constexpr std::string_view kStatusOptions[] = {"config", "data-dir", "run-dir", "kubeconfig"};
constexpr std::string_view kCheckOptions[] = {"config", "data-dir", "crun"};
constexpr std::string_view kStopOptions[] = {"config", "data-dir",     "run-dir",       "pid-file",
                                             "bridge", "service-cidr", "cgroup-parent", "shim"};

Result<int> run_version(const Arguments&) {
  print("coracle " CORACLE_VERSION " (Kubernetes API v1.36)\n");
  return 0;
}

Result<int> run_help(const Arguments& arguments);

constexpr Verb kVerbs[] = {
    {"server", "", "run a server: store, API, scheduler, controllers and node agent",
     "Runs in the foreground until SIGTERM or SIGINT. Pods go on when it ends, and are adopted "
     "when it starts again.",
     kServerOptions, 0, 0, run_server},
    {"agent", "", "run an agent: a node that joins a cluster of servers",
     "The first time it needs --join and --token (`coracle token create` on a server prints one). "
     "Later it knows its servers and needs neither.\n"
     "Runs in the foreground until SIGTERM or SIGINT. Pods go on when it ends, also while no "
     "server "
     "can be reached.",
     kAgentOptions, 0, 0, run_agent},
    {"member", "list | remove NAME | promote NAME", "show and change the servers of the cluster",
     "Ask any server; the order is carried to the leader.", kMemberOptions, 1, 2, run_member},
    {"leader", "transfer [NAME]", "let another server lead", "", kMemberOptions, 1, 2, run_leader},
    {"backup", "FILE", "write what the cluster knows into a file",
     "Asks the server on this machine; work goes on meanwhile. The file holds Secrets, so it is "
     "0600.",
     kMemberOptions, 1, 1, run_backup},
    {"restore", "FILE", "make a new store of one server from a backup",
     "For the data directory of a server that does not run and has no store. Versions go on above "
     "those of the backup.",
     kServerOptions, 1, 1, run_restore},
    {"token", "create | list | revoke ID", "make and end the tokens that devices join with",
     "create prints one line for --token (or a QR code). Runs on a server.", kTokenOptions, 1, 2,
     run_token},
    {"kubeconfig", "[USER [GROUP...]]", "print a kubeconfig",
     "Without arguments the administrator's. With a user and groups: one with a client certificate "
     "of that name,\n"
     "signed by the cluster authority in the data directory.",
     kKubeconfigOptions, 0, 16, run_kubeconfig},
    {"image", "load FILE | ls | rm NAME", "manage the images in the node's flash",
     "load takes a docker-archive or OCI layout tar, plain or gzip. Works with and without a "
     "running server.",
     kImageOptions, 1, 2, run_image},
    {"status", "", "show the node and its Pods at a glance",
     "Asks the running server; needs no kubectl.", kStatusOptions, 0, 0, run_status},
    {"check", "", "try the kernel features that Coracle needs",
     "Tries each feature by using it, and names the Kconfig symbol of what is missing. Exit code 1 "
     "if a needed one is.",
     kCheckOptions, 0, 0, run_check},
    {"stop", "", "stop the daemon and all Pods of this node",
     "Leaves no process, namespace, mount, link, rule or route behind. The data directory stays.",
     kStopOptions, 0, 0, run_stop},
    {"version", "", "print the version", "", {}, 0, 0, run_version},
    {"help", "[COMMAND]", "explain a command", "", {}, 0, 1, run_help},
};

std::string padded(std::string_view text, size_t width) {
  std::string out(text);
  out.append(out.size() < width ? width - out.size() : 1, ' ');
  return out;
}

std::string overview() {
  std::string out =
      "Coracle: Kubernetes for small devices, in one binary.\n\nUsage: coracle COMMAND "
      "[OPTIONS]\n\n";
  for (const Verb& verb : kVerbs)
    out += join({"  ", padded(verb.name, 12), verb.summary, "\n"});
  out += "\n`coracle COMMAND --help` explains a command and its options.\n";
  return out;
}

std::string explain(const Verb& verb) {
  std::string out = join({"Usage: coracle ", verb.name, verb.usage.empty() ? "" : " ", verb.usage,
                          verb.options.empty() ? "" : " [OPTIONS]", "\n\n", verb.summary, "\n"});
  if (!verb.explanation.empty()) out += join({"\n", verb.explanation, "\n"});
  if (!verb.options.empty())
    out += "\nOptions (also keys of the config file, and CORACLE_* in the environment):\n";
  for (const std::string_view name : verb.options) {
    for (const Option& option : options()) {
      if (option.name != name) continue;
      out += join({"  --", padded(option.name, 20), option.help});
      if (!option.otherwise.empty()) out += join({" [", option.otherwise, "]"});
      out += "\n";
    }
  }
  return out;
}

const Verb* find_verb(std::string_view name) {
  for (const Verb& verb : kVerbs) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

int wrong_verb(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Verb& verb : kVerbs)
    known.push_back(verb.name);
  print_error(join({"coracle: unknown command \"", name, "\"", suggestion(name, known), "\n"}));
  return 2;
}

Result<int> run_help(const Arguments& arguments) {
  if (arguments.positional.empty()) {
    print(overview());
    return 0;
  }
  const Verb* verb = find_verb(arguments.positional[0]);
  if (verb == nullptr) return wrong_verb(arguments.positional[0]);
  print(explain(*verb));
  return 0;
}

// The config file may set options of any verb; a flag of another verb is a mistake.
Result<> check_flags(const Verb& verb, std::span<const std::string> arguments) {
  for (const std::string& argument : arguments) {
    if (!argument.starts_with("--") || argument == "--help") continue;
    const std::string_view name = std::string_view(argument).substr(2, argument.find('=') - 2);
    const bool exists = std::any_of(options().begin(), options().end(),
                                    [&](const Option& o) { return o.name == name; });
    if (exists && std::find(verb.options.begin(), verb.options.end(), name) == verb.options.end()) {
      return fail(Code::kBadRequest,
                  join({"flag --", name, " is not one of `coracle ", verb.name, "`"}));
    }
  }
  return {};
}

Result<int> run_verb(const Verb& verb, std::span<const std::string> rest, Environment environment) {
  if (std::find(rest.begin(), rest.end(), "--help") != rest.end() ||
      std::find(rest.begin(), rest.end(), "-h") != rest.end()) {
    print(explain(verb));
    return 0;
  }
  TRY(check_flags(verb, rest));
  Arguments arguments;
  {
    port_linux::Machine machine;  // only its disk: daemonizing and threads come later
    arguments = TRY(read_arguments(rest, environment, machine.disk()));
  }
  if (arguments.positional.size() < verb.positional_least ||
      arguments.positional.size() > verb.positional_most) {
    return fail(Code::kBadRequest, join({"usage: coracle ", verb.name, " ", verb.usage}));
  }
  return verb.run(arguments);
}

}  // namespace

Result<std::string> absolute_path(port::Disk& disk, const std::string& path) {
  if (path.starts_with('/')) return path;
  const auto self = TRY(disk.tree("/proc/self"));
  return join({TRY(self->read_link("cwd")), "/", path});
}

std::span<const Verb> verbs() {
  return kVerbs;
}

int run_command_line(std::span<const std::string> arguments, Environment environment) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    print(overview());
    return arguments.empty() ? 2 : 0;
  }
  const Verb* verb =
      find_verb(arguments[0] == "--version" ? "version" : std::string_view(arguments[0]));
  if (verb == nullptr) return wrong_verb(arguments[0]);
  const Result<int> code = run_verb(*verb, arguments.subspan(1), environment);
  if (code) return *code;
  print_error(join({"coracle ", verb->name, ": ", code.error().message, "\n"}));
  return code.error().code == Code::kBadRequest ? 2 : 1;
}

void print(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stdout));
}
void print_error(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

}  // namespace coracle::daemon
