// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/config.h"

#include <algorithm>

#include "base/bytes.h"
#include "json/tree.h"

namespace coracle::daemon {

namespace {

constexpr Option text_option(std::string_view name,
                             std::string Config::*at,
                             std::string_view otherwise,
                             std::string_view help) {
  Option option;
  option.name = name;
  option.text = at;
  option.otherwise = otherwise;
  option.help = help;
  return option;
}

constexpr Option list_option(std::string_view name,
                             std::vector<std::string> Config::*at,
                             std::string_view help) {
  Option option;
  option.name = name;
  option.type = OptionType::kList;
  option.list = at;
  option.help = help;
  return option;
}

struct Range {
  int64_t least;
  int64_t most;
};

constexpr Option number_option(std::string_view name,
                               int64_t Config::*at,
                               std::string_view otherwise,
                               Range range,
                               std::string_view help) {
  Option option;
  option.name = name;
  option.type = OptionType::kNumber;
  option.number = at;
  option.otherwise = otherwise;
  option.help = help;
  option.least = range.least;
  option.most = range.most;
  return option;
}

constexpr Option kOptions[] = {
    text_option("config",
                &Config::config,
                "/etc/coracle/config.yaml",
                "file with these options as keys; <file>.d/*.yaml add to it"),
    text_option("data-dir",
                &Config::data_dir,
                "/var/lib/coracle",
                "the only directory with state; must not be on overlayfs"),
    text_option("run-dir", &Config::run_dir, "/run/coracle", "volatile state"),
    text_option("node-name", &Config::node_name, "", "name of this node (host name)"),
    text_option(
        "node-ip", &Config::node_ip, "", "address of this node (that of the default route)"),
    text_option(
        "bind-address", &Config::bind_address, "0.0.0.0", "address that the API listens on"),
    number_option("port", &Config::port, "6443", {1, 65535}, "port that the API listens on"),
    text_option("write-kubeconfig",
                &Config::write_kubeconfig,
                "",
                "where to write the admin kubeconfig (<data-dir>/admin.kubeconfig)"),
    list_option(
        "tls-san", &Config::tls_san, "further names or addresses in the server certificate"),
    text_option("cluster-cidr", &Config::cluster_cidr, "10.42.0.0/16", "addresses of pods"),
    text_option("node-cidr",
                &Config::node_cidr,
                "",
                "addresses of the pods on the first server, inside cluster-cidr (its first /24)"),
    text_option("service-cidr", &Config::service_cidr, "10.43.0.0/16", "addresses of Services"),
    text_option("cluster-dns",
                &Config::cluster_dns,
                "10.43.0.10",
                "address of the cluster DNS, inside service-cidr"),
    text_option(
        "cluster-domain", &Config::cluster_domain, "cluster.local", "DNS domain of the cluster"),
    text_option("bridge", &Config::bridge, "coracle0", "network bridge that pods hang on"),
    text_option("cgroup-parent", &Config::cgroup_parent, "coracle", "cgroup that holds all pods"),
    list_option(
        "node-label", &Config::node_label, "key=value label that the node gets when it registers"),
    number_option("max-pods", &Config::max_pods, "64", {1, 250}, "pods that this node takes"),
    text_option("eviction-hard",
                &Config::eviction_hard,
                "",
                "when pods are evicted: SIGNAL<LIMIT,... (memory.available<100Mi or 5%, "
                "nodefs.available<1Gi or 10%, nodefs.inodesFree<5%, pid.available<2%)"),
    text_option("crun", &Config::crun, "", "path of crun (found in PATH)"),
    text_option(
        "shim", &Config::shim, "", "path of coracle-shim (beside this program, then in PATH)"),
    list_option("scheduler-profile",
                &Config::scheduler_profile,
                "NAME=STRATEGY for pods with spec.schedulerName NAME: LeastAllocated, "
                "MostAllocated or RequestedToCapacityRatio:0=0,100=10"),
    text_option("pid-file",
                &Config::pid_file,
                "",
                "file with the daemon's process id (<run-dir>/coracle.pid)"),
    text_option("log-level", &Config::log_level, "info", "error, warn, info or debug"),
    text_option("server",
                &Config::server,
                "",
                "URL of the API for a written kubeconfig (https://<node-ip>:<port>)"),
    text_option(
        "kubeconfig", &Config::kubeconfig, "", "kubeconfig to use (<data-dir>/admin.kubeconfig)"),
    text_option(
        "join", &Config::join, "", "address of a server of the cluster to join (IP[:port])"),
    text_option(
        "token", &Config::token, "", "join token; not needed again once this device has joined"),
    text_option("ttl", &Config::ttl, "24h", "how long the token admits devices; 0: for ever"),
    number_option("uses",
                  &Config::uses,
                  "0",
                  {0, 100000},
                  "how many devices the token admits; 0: any number"),
    text_option("role", &Config::role, "agent", "whom the token admits: agent, or server (both)"),
    text_option(
        "timing",
        &Config::timing,
        "flash",
        "how soon a silent leader is replaced: flash (1.5 s, for SD cards that stall) or fast "
        "(0.2 s); the same on all servers"),
    text_option("certificate-life",
                &Config::certificate_life,
                "365d",
                "life of the certificates that are made; renewed after two thirds of it"),
};

const Option* find_option(std::string_view name) {
  for (const Option& option : kOptions) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

Error unknown(std::string_view what, std::string_view name) {
  std::vector<std::string_view> known;
  for (const Option& option : kOptions)
    known.push_back(option.name);
  return fail(Code::kBadRequest,
              join({"unknown ", what, " \"", name, "\"", suggestion(name, known)}));
}

Result<> assign(Config& config, const Option& option, std::string_view value) {
  switch (option.type) {
    case OptionType::kText:
      config.*option.text = std::string(value);
      return {};
    case OptionType::kList:
      (config.*option.list).emplace_back(value);
      return {};
    case OptionType::kNumber: {
      const auto number = parse_signed(value);
      if (!number || *number < option.least || *number > option.most) {
        return fail(Code::kBadRequest,
                    join({option.name, ": \"", value, "\" is not a number from ",
                          std::to_string(option.least), " to ", std::to_string(option.most)}));
      }
      config.*option.number = *number;
      return {};
    }
  }
  return {};
}

Result<> assign_node(Config& config, const Option& option, json::Node value) {
  if (option.type == OptionType::kList && value.is_array()) {
    (config.*option.list).clear();
    for (const json::Node member : value) {
      if (!member.is_string())
        return fail(Code::kBadRequest, join({option.name, ": members must be text"}));
      TRY(assign(config, option, member.string()));
    }
    return {};
  }
  if (value.is_string()) return assign(config, option, value.string());
  if (value.is_integer()) return assign(config, option, std::to_string(value.integer()));
  return fail(Code::kBadRequest, join({option.name, ": has a value of the wrong type"}));
}

Result<> read_config_file(Config& config, port::Disk& disk, const std::string& path) {
  const std::string text = TRY(disk.read_file(path, 256 * 1024));
  if (trim(text).empty()) return {};
  json::Tree tree;
  const json::Node root = TRY(tree.parse_yaml(text).with(path));
  if (root.is_null()) return {};
  if (!root.is_object()) return fail(Code::kBadRequest, path + ": must hold keys and values");
  for (const json::Node member : root) {
    const Option* option = find_option(member.key());
    if (option == nullptr) return unknown("key", member.key()).with(path);
    TRY(assign_node(config, *option, member).with(path));
  }
  return {};
}

// The file itself may be absent only if it is the default one.
Result<> read_config_files(Config& config, port::Disk& disk, bool named_by_user) {
  const std::string main_file = config.config;
  if (named_by_user || disk.stat(main_file)) TRY(read_config_file(config, disk, main_file));
  const std::string directory = main_file + ".d";
  const auto names = disk.list(directory);
  if (!names) return {};
  for (const std::string& name : *names) {
    if (name.ends_with(".yaml")) TRY(read_config_file(config, disk, join({directory, "/", name})));
  }
  return {};
}

std::string environment_name(std::string_view option) {
  std::string name = "CORACLE_";
  for (const char c : option)
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return name;
}

struct Flag {
  const Option* option = nullptr;
  std::string value;
};

struct ParsedFlags {
  std::vector<Flag> flags;
  std::vector<std::string> positional;
  bool help = false;
};

Result<ParsedFlags> parse_flags(std::span<const std::string> arguments) {
  ParsedFlags parsed;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      parsed.help = true;
      continue;
    }
    if (!argument.starts_with("--") || argument.size() == 2) {
      if (argument.starts_with('-') && argument.size() > 1) return unknown("flag", argument);
      parsed.positional.emplace_back(argument);
      continue;
    }
    const size_t equals = argument.find('=');
    const std::string_view name =
        argument.substr(2, equals == std::string_view::npos ? equals : equals - 2);
    const Option* option = find_option(name);
    if (option == nullptr) return unknown("flag", name);
    if (equals != std::string_view::npos) {
      parsed.flags.push_back({option, std::string(argument.substr(equals + 1))});
    } else if (i + 1 < arguments.size()) {
      parsed.flags.push_back({option, arguments[++i]});
    } else {
      return fail(Code::kBadRequest, join({"flag --", name, " needs a value"}));
    }
  }
  return parsed;
}

Result<> assign_flags(Config& config, const std::vector<Flag>& flags) {
  for (const Flag& flag : flags) {
    if (flag.option->type == OptionType::kList) (config.*flag.option->list).clear();
  }
  for (const Flag& flag : flags)
    TRY(assign(config, *flag.option, flag.value));
  return {};
}

Result<> assign_environment(Config& config, Environment environment) {
  for (const Option& option : kOptions) {
    const std::string name = environment_name(option.name);
    for (const auto& [key, value] : environment) {
      if (key != name) continue;
      if (option.type != OptionType::kList) {
        TRY(assign(config, option, value).with(name));
        continue;
      }
      (config.*option.list).clear();
      for (const std::string_view member : split(value, ','))
        TRY(assign(config, option, member));
    }
  }
  return {};
}

void fill_derived(Config& config) {
  if (config.write_kubeconfig.empty())
    config.write_kubeconfig = config.data_dir + "/admin.kubeconfig";
  if (config.kubeconfig.empty()) config.kubeconfig = config.write_kubeconfig;
  if (config.pid_file.empty()) config.pid_file = config.run_dir + "/coracle.pid";
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::span<const Option> options() {
  return kOptions;
}

std::string suggestion(std::string_view unknown, std::span<const std::string_view> known) {
  constexpr size_t kLengthMax = 64;
  std::string_view best;
  size_t best_distance = 4;  // farther words are not what was meant
  if (unknown.size() > kLengthMax) return {};
  for (const std::string_view candidate : known) {
    const size_t distance = edit_distance(unknown, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best.empty() ? std::string() : join({"; did you mean \"", best, "\"?"});
}

Result<Arguments> read_arguments(std::span<const std::string> arguments,
                                 Environment environment,
                                 port::Disk& disk) {
  Arguments read;
  for (const Option& option : kOptions) {
    if (!option.otherwise.empty()) TRY(assign(read.config, option, option.otherwise));
  }
  ParsedFlags parsed = TRY(parse_flags(arguments));
  // Where the file is may itself come from the environment or a flag.
  TRY(assign_environment(read.config, environment));
  TRY(assign_flags(read.config, parsed.flags));
  const bool named = read.config.config != find_option("config")->otherwise;
  TRY(read_config_files(read.config, disk, named));
  TRY(assign_environment(read.config, environment));
  TRY(assign_flags(read.config, parsed.flags));
  fill_derived(read.config);
  read.positional = std::move(parsed.positional);
  read.help = parsed.help;
  return read;
}

}  // namespace coracle::daemon
