// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/agent_daemon.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "daemon/instance_book.h"
#include "daemon/join.h"

namespace coracle::daemon {

namespace {

constexpr int kHangUp = 1;                  // SIGHUP; daemon includes no OS headers
constexpr Duration kPatience = seconds(2);  // then pods start from memory
constexpr Duration kAskAgain = seconds(2);
constexpr uint16_t kAgentPort = 10250;
constexpr size_t kServersMax = 16;
constexpr Duration kLook = seconds(10);
constexpr uint32_t kCallsOften = 6;  // then each sixth look only

bool same_servers(const std::vector<port::Endpoint>& a, const std::vector<port::Endpoint>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const port::Endpoint& x, const port::Endpoint& y) {
                      return x.host == y.host && x.port == y.port;
                    });
}

}  // namespace

AgentDaemon::AgentDaemon(port_linux::Machine& machine, Config config)
    : machine_(machine),
      config_(std::move(config)),
      patience_(machine.clock().timer(*this)),
      control_(*this),
      images_(control_) {}

AgentDaemon::~AgentDaemon() {
  machine_.clock().cancel_turn_end(*this);
  images_.close();
  log_server_.reset();  // before what it reads from
  node_.reset();
}

Result<> AgentDaemon::start() {
  TRY(check_data_directory(config_.data_dir, machine_.disk()));
  TRY(machine_.disk().make_directories(config_.run_dir, 0755));
  unpack_lane_ = machine_.lane("unpack");
  time_floor_ = std::make_unique<TimeFloor>(config_.data_dir + "/time", machine_.clock(),
                                            machine_.disk(), *unpack_lane_);
  TRY(know_identity());
  const client::RemotePorts ports{machine_.clock(), machine_.network(), machine_.random(),
                                  machine_.disk(), *unpack_lane_};
  client_ = std::make_unique<client::RemoteClient>(
      ports, client::RemoteOptions{layout_.node_name,
                                   identity_.servers,
                                   config_.data_dir + "/memory",
                                   {std::string(kInstanceHeader), instance()}});
  const Result<> memory = client_->remember();
  remembered_ = static_cast<bool>(memory);
  if (!memory && memory.error().code != Code::kNotFound)
    LOG(kWarn, "daemon: nothing remembered", kv("why", memory.error().message));
  node_ = std::make_unique<NodeSide>(machine_, config_, *unpack_lane_);
  RenewalListener& renewals = *this;
  renewal_ = std::make_unique<CertificateRenewal>(machine_.clock(), machine_.network(),
                                                  machine_.random(), renewals);
  TRY(use_certificate());
  client_->subscribe(*this);
  client_->start(*this);
  patience_->arm(machine_.clock().now() + kPatience);
  look_ = machine_.clock().timer(*this);
  look_->arm(machine_.clock().now() + kLook);
  TRY(control_.listen(machine_.network(), control_path(config_.run_dir)));
  machine_.watch_signals(*this);
  LOG(kInfo, "daemon: agent started", kv("node", layout_.node_name),
      kv("servers", identity_.servers.size()));
  port_linux::notify_supervisor("READY=1");
  return {};
}

// --- Who we are

Result<> AgentDaemon::know_identity() {
  const std::string path = agent_identity_path(config_.data_dir);
  Result<AgentIdentity> known = read_agent_identity(machine_.disk(), path);
  if (!known && known.error().code != Code::kNotFound) return known.error();
  const std::string name = TRY(find_node_name(config_, machine_.disk()));
  if (known && known->node_name != name && !config_.node_name.empty())
    return fail(Code::kBadRequest,
                join({"this device has joined as \"", known->node_name, "\"; to join as \"", name,
                      "\" remove ", path, " and start with --join and --token"}));
  if (known) {
    identity_ = std::move(*known);
  } else {
    identity_ = TRY(join_as_agent(machine_, config_, name));
    LOG(kInfo, "daemon: joined", kv("node", name), kv("server", config_.join));
  }
  ++identity_.starts;
  TRY(save_identity());
  config_.node_name = identity_.node_name;
  config_.cluster_cidr = identity_.cluster_cidr;
  config_.service_cidr = identity_.service_cidr;
  config_.cluster_dns = identity_.cluster_dns;
  config_.cluster_domain = identity_.cluster_domain;
  config_.node_cidr.clear();
  layout_ = TRY(make_layout(config_, machine_.disk(), machine_.links()));
  return {};
}

std::string AgentDaemon::instance() {
  char draw[8];
  machine_.random().fill(draw, sizeof draw);
  return join({std::to_string(identity_.starts), "-", hex({draw, sizeof draw})});
}

Result<> AgentDaemon::save_identity() {
  return machine_.disk()
      .replace_file(agent_identity_path(config_.data_dir), agent_identity_text(identity_), 0600)
      .with("identity");
}

Result<> AgentDaemon::use_certificate() {
  http::TlsClientOptions tls;
  tls.ca_pem = identity_.authority_pem;
  tls.certificate_pem = identity_.own.certificate_pem;
  tls.key_pem = identity_.own.key_pem;
  tls.server_name = "kubernetes";
  tls.http2 = true;
  client_->use_tls(TRY(http::make_tls_client(tls, machine_.random()).with("certificate")));
  renewal_->watch(identity_);
  return listen_for_logs();
}

Result<> AgentDaemon::listen_for_logs() {
  http::TlsServerOptions tls;
  tls.certificate_pem = identity_.own.certificate_pem;
  tls.key_pem = identity_.own.key_pem;
  tls.client_ca_pem = identity_.authority_pem;
  auto context = TRY(http::make_tls_server(tls, machine_.random()).with("certificate"));
  if (log_server_ != nullptr) {
    log_server_->use_tls(std::move(context));
    return {};
  }
  log_site_ = std::make_unique<LogSite>(client_->state(), machine_.clock());
  log_server_ = std::make_unique<http::Server>(machine_.clock(), machine_.random(), *log_site_);
  log_server_->use_tls(std::move(context));
  return log_server_->listen(machine_.network(), {config_.bind_address, kAgentPort});
}

void AgentDaemon::on_renewed(std::string_view answer) {
  json::Tree tree;
  const Result<json::Node> parsed = tree.parse(answer);
  Result<> taken = parsed ? take_join_answer(identity_, *parsed) : Result<>(parsed.error());
  if (taken) taken = save_identity();
  if (taken) taken = use_certificate();
  if (!taken)
    LOG(kError, "daemon: renewed certificate not used", kv("why", taken.error().message));
  else
    LOG(kInfo, "daemon: certificate renewed");
}

void AgentDaemon::on_servers(const std::vector<port::Endpoint>& servers) {
  if (servers.size() > kServersMax || same_servers(servers, identity_.servers)) return;
  identity_.servers = servers;
  renewal_->use_servers(servers);
  if (const Result<> saved = save_identity(); !saved)
    LOG(kError, "daemon: servers not saved", kv("why", saved.error().message));
}

// --- The node

void AgentDaemon::on_change(const api::Change& change) {
  const bool own =
      &change.after->kind() == &api::kNode && change.after->name() == layout_.node_name;
  if (own && !started_) clock_end();
}

// Whether this machine has another address by now, and where the servers are if they are gone.
void AgentDaemon::look_around() {
  look_->arm(machine_.clock().now() + kLook);
  const auto now = make_layout(config_, machine_.disk(), machine_.links());
  if (now && now->node_ip != layout_.node_ip && now->node_ip.value >> 24 != 127 &&
      !has_address(machine_.links(), layout_.node_ip)) {
    LOG(kInfo, "daemon: this machine has another address; starting anew",
        kv("from", layout_.node_ip.text()), kv("to", now->node_ip.text()));
    moved_ = true;
    return machine_.stop();
  }
  if (client_->connected()) {
    looks_ = 0;
    beacon_.reset();
    return;
  }
  if (++looks_ > kCallsOften && looks_ % kCallsOften != 0) return;
  BeaconListener& finds = *this;
  BeaconOptions options;
  options.authority_pem = identity_.authority_pem;
  auto made = Beacon::open(options, machine_.datagrams(), machine_.links(), finds);
  if (!made) return;
  beacon_ = std::move(*made);
  beacon_->call();
}

void AgentDaemon::on_found(uint64_t, const port::Endpoint& server) {
  std::vector<port::Endpoint> servers = identity_.servers;
  std::erase_if(servers, [&](const port::Endpoint& each) { return each.host == server.host; });
  if (servers.size() == identity_.servers.size())
    LOG(kInfo, "daemon: found a server", kv("server", endpoint_text(server)));
  servers.insert(servers.begin(), server);
  if (servers.size() > kServersMax) servers.pop_back();
  client_->use_servers(servers);
}

void AgentDaemon::on_alarm(port::Timer& timer) {
  if (&timer == look_.get()) return look_around();
  patience_over_ = true;
  asked_ = false;
  try_to_start_node();
}

// What the servers say is better than memory, but only for a moment worth waiting for.
void AgentDaemon::try_to_start_node() {
  if (node_->agent() != nullptr && client_->complete()) node_->agent()->confirm();
  if (started_) return;
  if (!client_->complete() && !(remembered_ && patience_over_)) return;
  const api::ObjectRef own = client_->state().get(api::kNode, {}, layout_.node_name);
  json::Tree tree;
  const auto pods = own ? parse_cidr4(own->parse(tree)["spec"]["podCIDR"].string()) : std::nullopt;
  if (!pods) return own ? void() : ask_for_node();
  started_ = true;
  patience_->disarm();
  const Result<> begun = start_node(*pods);
  if (begun) return;
  failure_ = begun.error();
  machine_.stop();
}

// It was there when this device joined; somebody has deleted it since.
void AgentDaemon::ask_for_node() {
  if (asked_ || !client_->complete()) return;
  asked_ = true;
  api::Call call;
  call.key = {&api::kNode, {}, layout_.node_name};
  call.body = join({"{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"",
                    layout_.node_name, "\"}}"});
  client_->submit(std::move(call), *this, 0);
  patience_->arm(machine_.clock().now() + kAskAgain);
}

void AgentDaemon::on_answer(uint64_t, Result<api::ObjectRef> answer) {
  if (!answer && answer.error().code != Code::kAlreadyExists)
    LOG(kWarn, "daemon: node was not registered", kv("why", answer.error().message));
}

Result<> AgentDaemon::start_node(const Cidr4& pods) {
  layout_.node_cidr = {pods.network(), pods.prefix};
  layout_.gateway = Ip4{pods.network().value + 1};
  TRY(node_->set_up_links(layout_));
  TRY(node_->start(layout_, {*client_, *client_}, {false, client_->complete()}));
  if (client_->complete()) node_->agent()->confirm();
  images_.open(*node_->agent());
  log_site_->open(*node_->agent(), *node_->agent(), *node_->agent());
  LOG(kInfo, "daemon: node started", kv("pods", pods.text()),
      kv("from", client_->complete() ? "server" : "memory"));
  return {};
}

void AgentDaemon::on_command(uint64_t token, const std::vector<std::string>& words) {
  if (images_.take(token, words)) return;
  control_.answer(
      token, fail(Code::kBadRequest, "an agent runs on this machine; ask on one of the servers"));
}

void AgentDaemon::on_signal(int signal) {
  if (signal == kHangUp) return;  // configuration is read at the start only
  LOG(kInfo, "daemon: stopping; pods go on", kv("signal", signal));
  port_linux::notify_supervisor("STOPPING=1");
  machine_.stop();
}

}  // namespace coracle::daemon
