// SPDX-License-Identifier: GPL-2.0-or-later
// Configuration: one row per option in kOptions (config.cc). Later sources win: defaults,
// /etc/coracle/config.yaml, config.yaml.d/*.yaml (sorted), environment (CORACLE_DATA_DIR), flags
// (--data-dir). Keys are the flag names. An unknown key is refused with a suggestion. Lists (list
// options) may be given several times; each source replaces the list.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "port/disk.h"

namespace coracle::daemon {

struct Config {
  std::string config = "/etc/coracle/config.yaml";
  std::string data_dir;
  std::string run_dir;
  std::string node_name;
  std::string node_ip;
  std::string bind_address;
  int64_t port = 0;
  std::string write_kubeconfig;
  std::vector<std::string> tls_san;
  std::string cluster_cidr;
  std::string node_cidr;
  std::string service_cidr;
  std::string cluster_dns;
  std::string cluster_domain;
  std::string bridge;
  std::string cgroup_parent;
  std::vector<std::string> node_label;
  int64_t max_pods = 0;
  std::string eviction_hard;
  std::string crun;
  std::string shim;
  std::string pid_file;
  std::string log_level;
  std::string server;
  std::string kubeconfig;
  std::string join;
  std::string token;
  std::string ttl;
  int64_t uses = 0;
  std::string role;
  std::string certificate_life;
  std::string timing;
  std::vector<std::string> scheduler_profile;
};

enum class OptionType : uint8_t { kText, kNumber, kList };

struct Option {
  std::string_view name;  // "data-dir": flag, key in files, and CORACLE_DATA_DIR
  OptionType type = OptionType::kText;
  std::string Config::*text = nullptr;
  int64_t Config::*number = nullptr;
  std::vector<std::string> Config::*list = nullptr;
  std::string_view otherwise = {};  // default
  std::string_view help = {};
  int64_t least = 0;  // range of numbers
  int64_t most = 0;
};

std::span<const Option> options();

struct Arguments {
  Config config;
  std::vector<std::string> positional;
  bool help = false;
};

using Environment = std::span<const std::pair<std::string, std::string>>;

// `arguments` are those behind the verb. kBadRequest with a sentence for people.
Result<Arguments> read_arguments(std::span<const std::string> arguments,
                                 Environment environment,
                                 port::Disk& disk);

// "did you mean data-dir?", or empty.
std::string suggestion(std::string_view unknown, std::span<const std::string_view> known);

}  // namespace coracle::daemon
