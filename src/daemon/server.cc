// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/server.h"

#include "base/bytes.h"
#include "base/log.h"
#include "daemon/runtime_version.h"
#include "pki/kubeconfig.h"

namespace coracle::daemon {

namespace {

// Signal numbers of POSIX; daemon includes no OS headers.
constexpr int kHangUp = 1;

std::string image_lines(const std::vector<node::Image>& images) {
  std::string out;
  for (const node::Image& image : images) {
    const std::string size = std::to_string((image.bytes + 1023) / 1024);
    const std::string id = image.id.substr(image.id.find(':') + 1, 12);
    if (image.names.empty()) out += join({"<none>  ", id, "  ", size, " KiB\n"});
    for (const std::string& name : image.names)
      out += join({name, "  ", id, "  ", size, " KiB\n"});
  }
  return out;
}

}  // namespace

Server::Server(port_linux::Machine& machine, const Config& config)
    : machine_(machine),
      config_(config),
      control_(*this) {}

Server::~Server() {
  // Pods go on: destroying the agent lets go of them.
  if (agent_) agent_->forget(*this);
}

Result<> Server::start() {
  TRY(check_data_directory(config_.data_dir, machine_.disk()));
  TRY(machine_.disk().make_directories(config_.run_dir, 0755));
  unpack_lane_ = machine_.lane("unpack");
  time_floor_ = std::make_unique<TimeFloor>(config_.data_dir + "/time", machine_.clock(),
                                            machine_.disk(), *unpack_lane_);
  layout_ = TRY(make_layout(config_, machine_.disk(), machine_.links()));
  IdentityOptions options{config_.data_dir + "/pki", layout_.server_names,
                          layout_.server_addresses};
  identity_ = TRY(
      load_or_make_identity(options, machine_.disk(), machine_.random(), machine_.clock().trusted())
          .with("identity"));
  TRY(open_store());
  TRY(start_api());
  TRY(start_reactors());
  TRY(write_kubeconfig());
  TRY(control_.listen(machine_.network(), control_path(config_.run_dir)));
  machine_.watch_signals(*this);
  LOG(kInfo, "daemon: started", kv("node", layout_.node_name), kv("api", layout_.local_url));
  port_linux::notify_supervisor("READY=1");
  return {};
}

Result<> Server::open_store() {
  log_lane_ = machine_.lane("log");
  state_lane_ = machine_.lane("state");
  store::StoreOptions options;
  options.directory = config_.data_dir + "/store";
  store_ =
      TRY(store::open_store(options, machine_.clock(), machine_.disk(), *log_lane_, *state_lane_)
              .with("store"));
  return {};
}

Result<> Server::start_api() {
  apiserver::ServerOptions options;
  options.token_key_pem = identity_.service_account_key;
  options.ca_pem = identity_.ca_pem;
  options.service_cidr = layout_.service_cidr.text();
  options.pod_cidr = layout_.cluster_cidr.text();
  options.server_address = layout_.advertised;
  options.version.platform = join({"linux/", node::architecture()});
  api_ = std::make_unique<apiserver::ApiServer>(machine_.clock(), machine_.random(), *store_,
                                                nullptr, std::move(options));
  api_->start();
  http::TlsServerOptions tls;
  tls.certificate_pem = identity_.server.certificate_pem;
  tls.key_pem = identity_.server.key_pem;
  tls.client_ca_pem = identity_.ca_pem;
  http_ = std::make_unique<http::Server>(machine_.clock(), machine_.random(), *api_);
  http_->use_tls(TRY(http::make_tls_server(tls, machine_.random()).with("tls")));
  // The bridge carries the gateway address that pods reach the API at.
  TRY(machine_.links()
          .ensure_bridge(config_.bridge, Cidr4{layout_.gateway, layout_.node_cidr.prefix})
          .with("bridge"));
  // A node without a default route could not reach Service addresses (nor could its pods be
  // refused).
  TRY(machine_.links().ensure_route(layout_.service_cidr, config_.bridge).with("service route"));
  for (const Ip4 address : layout_.listen_addresses) {
    TRY(http_->listen(machine_.network(), {address.text(), layout_.port}));
  }
  return {};
}

Result<> Server::start_reactors() {
  using apiserver::LocalClient;
  using apiserver::LocalUser;
  controller_client_ =
      std::make_unique<LocalClient>(*api_, LocalUser{"system:kube-controller-manager", {}});
  scheduler_client_ = std::make_unique<LocalClient>(*api_, LocalUser{"system:kube-scheduler", {}});
  proxy_client_ = std::make_unique<LocalClient>(*api_, LocalUser{"system:kube-proxy", {}});
  node_client_ = std::make_unique<LocalClient>(
      *api_, LocalUser{join({"system:node:", layout_.node_name}), {"system:nodes"}});
  controllers_ = std::make_unique<controllers::Runner>(*controller_client_, machine_.clock(),
                                                       machine_.random(), identity_.ca_pem);
  scheduler_ = std::make_unique<scheduler::Scheduler>(*scheduler_client_, machine_.clock(),
                                                      machine_.random());
  proxy_ = std::make_unique<proxy::ServiceProxy>(
      *proxy_client_, machine_.clock(), machine_.packet_filter(),
      proxy::ProxyOptions{layout_.service_cidr, layout_.cluster_cidr});
  const node::AgentPorts ports{machine_.clock(),  machine_.disk(),      machine_.random(),
                               machine_.links(),  machine_.sandboxes(), *unpack_lane_,
                               machine_.network()};
  agent_ = std::make_unique<node::Agent>(*node_client_, ports, TRY(agent_options()));
  api_->use_pod_logs(agent_.get());
  controllers_->start();
  scheduler_->start();
  proxy_->start();
  return agent_->start().with("node agent");
}

Result<node::AgentOptions> Server::agent_options() const {
  node::AgentOptions options;
  options.node_name = layout_.node_name;
  options.data_directory = config_.data_dir;
  options.run_directory = config_.run_dir;
  options.pod_cidr = layout_.node_cidr;
  options.bridge = config_.bridge;
  options.cgroup_parent = config_.cgroup_parent;
  options.pods_max = config_.max_pods;
  options.cluster_domain = config_.cluster_domain;
  options.node_ip = layout_.node_ip.text();
  options.runtime_version = runtime_version(machine_, config_.crun, config_.data_dir);
  for (const std::string& label : config_.node_label) {
    const size_t equals = label.find('=');
    if (equals == std::string::npos)
      return fail(Code::kBadRequest, join({"node-label: \"", label, "\" is not key=value"}));
    options.labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
  }
  return options;
}

Result<> Server::write_kubeconfig() {
  pki::KubeconfigOptions options;
  options.server = layout_.local_url;
  options.ca_pem = identity_.ca_pem;
  options.certificate_pem = identity_.admin.certificate_pem;
  options.key_pem = identity_.admin.key_pem;
  const std::string text = pki::kubeconfig(options);
  const auto present = machine_.disk().read_file(config_.write_kubeconfig);
  if (present && *present == text) return {};  // no flash write at every start
  return machine_.disk()
      .replace_file(config_.write_kubeconfig, text, 0600)
      .with("write-kubeconfig");
}

void Server::on_signal(int signal) {
  if (signal == kHangUp) return;  // nothing is read again yet; a hang-up must not end the daemon
  LOG(kInfo, "daemon: stopping; pods go on", kv("signal", signal));
  port_linux::notify_supervisor("STOPPING=1");
  http_->stop_accepting();
  api_->stop();
  controllers_->stop();
  scheduler_->stop();
  const Result<> closed = store_->close();
  if (!closed) LOG(kError, "daemon: store not closed cleanly", kv("error", closed.error().message));
  machine_.stop();
}

void Server::on_command(uint64_t token, const std::vector<std::string>& words) {
  const size_t count = words.size();
  if (count == 3 && words[0] == "image" && words[1] == "load")
    return agent_->load_image(words[2], *this, token);
  if (count == 3 && words[0] == "image" && words[1] == "rm")
    return agent_->remove_image(words[2], *this, token);
  if (count == 2 && words[0] == "image" && words[1] == "ls") {
    return control_.answer(token, image_lines(agent_->images()));
  }
  control_.answer(token, fail(Code::kBadRequest, "unknown command"));
}

void Server::on_image_loaded(uint64_t token, Result<std::vector<std::string>> names) {
  if (!names) return control_.answer(token, std::move(names).error());
  std::string text;
  for (const std::string& name : *names)
    text += join({"loaded ", name, "\n"});
  control_.answer(token, text);
}

void Server::on_image_removed(uint64_t token, Result<> removed) {
  if (!removed) return control_.answer(token, std::move(removed).error());
  control_.answer(token, std::string("removed\n"));
}

}  // namespace coracle::daemon
