// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/server.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "daemon/bootstrap_token.h"
#include "daemon/server_join.h"
#include "daemon/store_mending.h"
#include "pki/join_token.h"
#include "pki/kubeconfig.h"

namespace coracle::daemon {

namespace {

// Signal numbers of POSIX; daemon includes no OS headers.
constexpr int kHangUp = 1;
constexpr Duration kForEver = seconds(int64_t{30} * 365 * 86'400);

constexpr uint16_t kAgentPort = 10250;
constexpr raft::NodeId kFounder = 1;
constexpr Duration kLookEvery = minutes(60);
constexpr Duration kFarewell = seconds(1);
constexpr Duration kLookAround = seconds(10);
constexpr Duration kLookAlone = seconds(60);  // nobody else depends on it

Result<store::Timing> timing_of(std::string_view name) {
  if (name == "flash") return store::kSlowDisks;
  if (name == "fast") return store::kFastDisks;
  return fail(Code::kBadRequest, join({"timing: \"", name, "\" is neither flash nor fast"}));
}

bool is_loopback(Ip4 ip) {
  return ip.value >> 24 == 127;
}

}  // namespace

Server::Server(port_linux::Machine& machine, Config config)
    : machine_(machine),
      config_(std::move(config)),
      renewal_(machine.clock().timer(*this)),
      control_(*this),
      images_(control_),
      backups_(control_, machine.disk()) {}

Server::~Server() {
  // Pods go on: destroying the agent lets go of them.
  machine_.clock().cancel_turn_end(*this);
  if (api_) api_->use_usages(nullptr);
  images_.close();
  backups_.close();
  if (join_client_) join_client_->forget(*this);
  if (store_) store_->unsubscribe(*this);
  if (farewell_) store_->membership().forget(*this);
  if (peers_) peers_->close();
}

Result<> Server::start() {
  TRY(check_data_directory(config_.data_dir, machine_.disk()));
  TRY(machine_.disk().make_directories(config_.run_dir, 0755));
  unpack_lane_ = machine_.lane("unpack");
  time_floor_ = std::make_unique<TimeFloor>(config_.data_dir + "/time", machine_.clock(),
                                            machine_.disk(), *unpack_lane_);
  std::optional<store::Joining> joining = TRY(join_as_server(machine_, config_));
  layout_ = TRY(make_layout(config_, machine_.disk(), machine_.links()));
  TRY(load_identity());
  bool is_new = joining.has_value();
  TRY(open_store(std::move(joining), is_new));
  if (is_new) catch_up();
  store_->subscribe(*this);
  TRY(start_api());
  TRY(serve_logs());
  leader_->start();
  if (node_started_) TRY(start_node());
  TRY(keep_token());
  TRY(write_kubeconfig());
  TRY(control_.listen(machine_.network(), control_path(config_.run_dir)));
  machine_.watch_signals(*this);
  look_ = machine_.clock().timer(*this);
  look_->arm(machine_.clock().now() + kLookAround);
  LOG(kInfo, "daemon: started", kv("node", layout_.node_name), kv("api", layout_.local_url));
  port_linux::notify_supervisor("READY=1");
  return {};
}

Result<> Server::load_identity() {
  identity_options_ = {
      config_.data_dir + "/pki", layout_.server_names, layout_.server_addresses, {}};
  identity_options_.life = TRY(parse_ttl(config_.certificate_life)).value_or(kForEver);
  identity_ = TRY(load_or_make_identity(identity_options_, machine_.disk(), machine_.random(),
                                        machine_.clock().trusted())
                      .with("identity"));
  renewal_->arm(machine_.clock().now() +
                std::min(kLookEvery, Duration{identity_options_.life.ns / 6}));
  return {};
}

// A damaged one is replaced by what the other servers have.
Result<> Server::open_store(std::optional<store::Joining> joining, bool& is_new) {
  log_lane_ = machine_.lane("log");
  state_lane_ = machine_.lane("state");
  peers_ = std::make_unique<PeerSide>(machine_, layout_);
  store::StoreOptions options;
  options.entropy = machine_.random().next();
  options.self = peers_->self();
  options.directory = config_.data_dir + "/store";
  options.timing = TRY(timing_of(config_.timing));
  options.transport = peers_->transport();
  options.joining = std::move(joining);
  const auto open = [&] {
    return store::open_store(options, machine_.clock(), machine_.disk(), *log_lane_, *state_lane_);
  };
  auto opened = open();
  if (!opened && opened.error().code == Code::kCorrupt && options.transport != nullptr) {
    options.joining =
        TRY(replace_store(machine_, config_, layout_, identity_, opened.error()).with("store"));
    is_new = true;
    opened = open();
  }
  store_ = TRY(std::move(opened).with("store"));
  backups_.open(*store_, *unpack_lane_);
  TRY(finish_joining(machine_.disk(), config_));
  TRY(peers_->open(store_->membership(), identity_, identity_options_));
  node_started_ = know_own_pods();
  return {};
}

// A new member knows nothing until the others have told it: nobody is served before.
void Server::catch_up() {
  struct Look final : port::Alarm {
    explicit Look(Server& asked) : server(asked), timer(asked.machine_.clock().timer(*this)) {
      on_alarm(*timer);
    }
    void on_alarm(port::Timer&) override {
      if (server.know_own_pods()) return server.machine_.stop();
      timer->arm(server.machine_.clock().now() + milliseconds(20));
    }
    Server& server;
    std::unique_ptr<port::Timer> timer;
  };
  LOG(kInfo, "daemon: waiting for the state of the cluster");
  if (know_own_pods()) return;
  Look look(*this);
  machine_.run();
  node_started_ = true;
}

// The first server takes the first part of the pod addresses; the others wait for theirs.
bool Server::know_own_pods() {
  if (!config_.node_cidr.empty()) return true;
  const api::ObjectRef own = store_->get(api::kNode, {}, layout_.node_name);
  json::Tree tree;
  const auto pods = own ? parse_cidr4(own->parse(tree)["spec"]["podCIDR"].string()) : std::nullopt;
  if (!pods) return store_->membership().standing().self == kFounder;
  layout_.node_cidr = {pods->network(), pods->prefix};
  layout_.gateway = Ip4{pods->network().value + 1};
  return true;
}

Result<> Server::start_api() {
  apiserver::ServerOptions options;
  options.token_key_pem = identity_.service_account_key;
  options.ca_pem = identity_.ca_pem;
  options.service_cidr = layout_.service_cidr.text();
  options.pod_cidr = layout_.cluster_cidr.text();
  options.cluster_dns = layout_.cluster_dns.text();
  options.server_address = layout_.advertised;
  options.version.platform = join({"linux/", node::architecture()});
  api_ = std::make_unique<apiserver::ApiServer>(machine_.clock(), machine_.random(), *store_,
                                                nullptr, std::move(options));
  api_->start();
  logs_ = std::make_unique<PodLogRouter>(
      *store_, machine_.clock(), machine_.network(), machine_.random(),
      LogRouterOptions{layout_.node_name, identity_.ca_pem, identity_.kubelet_client});
  usages_ = std::make_unique<UsageRouter>(machine_.clock(), *logs_);
  api_->use_pod_logs(logs_.get());
  api_->use_usages(usages_.get());
  node_ = std::make_unique<NodeSide>(machine_, config_, *unpack_lane_);
  // The bridge carries an address that a server on loopback listens on.
  if (node_started_) TRY(node_->set_up_links(layout_));
  std::vector<scheduler::Profile> profiles;
  for (const std::string& text : config_.scheduler_profile)
    profiles.push_back(TRY(scheduler::parse_profile(text)));
  leader_ =
      std::make_unique<LeaderSide>(machine_, *store_, *api_, *usages_,
                                   LeaderOptions{layout_.node_name, identity_.ca_pem,
                                                 layout_.cluster_cidr.text(), std::move(profiles)});
  members_ = std::make_unique<MemberDesk>(store_->membership(), control_);
  return serve_https();
}

Result<> Server::serve_https() {
  using apiserver::LocalClient;
  using apiserver::LocalUser;
  join_client_ =
      std::make_unique<LocalClient>(*api_, LocalUser{"system:apiserver", {"system:masters"}});
  mending_ = std::make_unique<StoreMending>(StoreMending::Parts{
      machine_, *store_, *join_client_, config_.data_dir + "/store", layout_.node_name, failure_});
  JoinTerms terms;
  terms.authority = {identity_.ca_key_pem, identity_.ca_pem};
  terms.cluster_cidr = layout_.cluster_cidr.text();
  terms.service_cidr = layout_.service_cidr.text();
  terms.cluster_dns = layout_.cluster_dns.text();
  terms.cluster_domain = config_.cluster_domain;
  terms.own_address = layout_.advertised;
  terms.certificate_life = TRY(parse_ttl(config_.certificate_life)).value_or(kForEver);
  join_site_ = std::make_unique<JoinSite>(*api_, *join_client_, machine_.clock(), machine_.random(),
                                          std::move(terms));
  if (peers_->transport() != nullptr) {
    admission_ =
        std::make_unique<MemberAdmission>(store_->membership(), machine_.clock(), identity_);
    join_site_->admit_servers_by(admission_.get());
  }
  http_ = std::make_unique<http::Server>(machine_.clock(), machine_.random(), *join_site_);
  TRY(use_certificates());
  for (const Ip4 address : layout_.listen_addresses) {
    TRY(http_->listen(machine_.network(), {address.text(), layout_.port}));
  }
  return {};
}

// Also again, whenever a part was renewed: connections made from then on use it.
Result<> Server::use_certificates() {
  http::TlsServerOptions tls;
  tls.certificate_pem = identity_.server.certificate_pem;
  tls.key_pem = identity_.server.key_pem;
  tls.client_ca_pem = identity_.ca_pem;
  const auto context = TRY(http::make_tls_server(tls, machine_.random()).with("tls"));
  http_->use_tls(context);
  if (log_server_ != nullptr) log_server_->use_tls(context);
  return {};
}

// Other servers ask here for the logs of this node's pods; nobody can reach one on loopback.
Result<> Server::serve_logs() {
  log_site_ = std::make_unique<LogSite>(*store_, machine_.clock());
  if (is_loopback(layout_.bind_address)) return {};
  log_server_ = std::make_unique<http::Server>(machine_.clock(), machine_.random(), *log_site_);
  TRY(use_certificates());
  return log_server_->listen(machine_.network(), {layout_.bind_address.text(), kAgentPort});
}

void Server::renew() {
  Result<> renewed = load_identity();
  if (renewed) renewed = use_certificates();
  if (renewed) renewed = peers_->renew(identity_, identity_options_);
  if (renewed) renewed = write_kubeconfig();
  logs_->use_client(identity_.kubelet_client);
  if (!renewed) LOG(kError, "daemon: certificates not renewed", kv("why", renewed.error().message));
}

// A token agreed on beforehand, so that a whole cluster starts with the same words everywhere.
Result<> Server::keep_token() {
  const bool founder = store_->membership().standing().self == kFounder;
  if (config_.token.empty() || !config_.join.empty() || !founder) return {};
  const pki::JoinToken given = TRY(pki::parse_join_token(config_.token));
  const std::string name = token_secret_name(given.id);
  if (store_->get(api::kSecret, kTokenNamespace, name)) return {};
  BootstrapToken token;
  token.id = given.id;
  token.secret = given.secret;
  token.role = "server";
  token.description = "given to the first server";
  api::Call call;
  call.key = {&api::kSecret, std::string(kTokenNamespace), name};
  call.body = token_secret_body(token);
  join_client_->submit(std::move(call), *this, 0);
  return {};
}

void Server::on_answer(uint64_t, Result<api::ObjectRef> answer) {
  if (!answer && answer.error().code != Code::kAlreadyExists)
    LOG(kError, "daemon: the token was not kept", kv("why", answer.error().message));
}

Result<> Server::start_node() {
  using apiserver::LocalClient;
  using apiserver::LocalUser;
  node_started_ = true;
  proxy_client_ = std::make_unique<LocalClient>(*api_, LocalUser{"system:kube-proxy", {}});
  node_client_ = std::make_unique<LocalClient>(
      *api_, LocalUser{join({"system:node:", layout_.node_name}), {"system:nodes"}});
  confirmation_ = std::make_unique<StateConfirmation>(*store_, machine_.clock());
  const bool is_confirmed = confirmation_->ask();
  TRY(node_->start(layout_, {*node_client_, *proxy_client_}, {true, is_confirmed}));
  confirmation_->tell(*node_->agent());
  logs_->use_local(node_->agent());
  usages_->use_local(node_->agent());
  api_->use_pod_streams(node_->agent());
  api_->use_agents(logs_.get());
  images_.open(*node_->agent());
  log_site_->open(*node_->agent(), *node_->agent(), *node_->agent());
  return {};
}

void Server::on_change(const api::Change& change) {
  if (&change.after->kind() == &api::kNode && !change.before && look_)
    look_->arm(machine_.clock().now() + kLookAround);  // company, perhaps
  const bool own =
      &change.after->kind() == &api::kNode && change.after->name() == layout_.node_name;
  if (own && !node_started_) machine_.clock().at_turn_end(*this);
}

void Server::on_turn_end() {
  if (node_started_ || !know_own_pods()) return;
  Result<> begun = node_->set_up_links(layout_);
  if (begun) begun = start_node();
  if (begun) return;
  failure_ = begun.error();
  machine_.stop();
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
  if (!hand_over()) stop();
}

// Who led is not missed if another leads before it goes. A second signal does not wait.
bool Server::hand_over() {
  store::Membership& membership = store_->membership();
  const store::Standing now = membership.standing();
  const store::Standing::Lag* heir = nullptr;
  for (const store::Standing::Lag& each : now.members) {
    const auto& all = membership.members();
    const bool votes = std::any_of(all.begin(), all.end(), [&](const store::Member& member) {
      return member.id == each.id && member.role == store::MemberRole::kVoter;
    });
    if (!votes || !each.active || each.id == now.self) continue;
    if (heir == nullptr || each.match > heir->match) heir = &each;
  }
  if (heir == nullptr || farewell_ != nullptr) return false;
  farewell_ = machine_.clock().timer(*this);
  farewell_->arm(machine_.clock().now() + kFarewell);
  membership.transfer(heir->id, *this);
  return true;
}

void Server::on_membership(Result<>) {
  stop();
}

void Server::on_alarm(port::Timer& timer) {
  if (&timer == renewal_.get()) return renew();
  if (&timer == look_.get()) return look_around();
  stop();
}

// Certificates, Node and members all name the address: with another one the daemon begins anew, and
// pods go on.
void Server::look_around() {
  const bool company = store_->membership().members().size() > 1;
  look_->arm(machine_.clock().now() + (company ? kLookAround : kLookAlone));
  const auto now = make_layout(config_, machine_.disk(), machine_.links());
  if (!now || now->node_ip == layout_.node_ip || is_loopback(now->node_ip)) return;
  if (has_address(machine_.links(), layout_.node_ip)) return;
  LOG(kInfo, "daemon: this machine has another address; starting anew",
      kv("from", layout_.node_ip.text()), kv("to", now->node_ip.text()));
  moved_ = true;
  stop();
}

void Server::stop() {
  if (farewell_) farewell_->disarm();
  http_->stop_accepting();
  api_->stop();
  leader_->stop();
  const Result<> closed = store_->close();
  if (!closed) LOG(kError, "daemon: store not closed cleanly", kv("error", closed.error().message));
  machine_.stop();
}

void Server::on_command(uint64_t token, const std::vector<std::string>& words) {
  const bool taken =
      images_.take(token, words) || members_->take(token, words) || backups_.take(token, words);
  if (taken) return;
  control_.answer(token, fail(Code::kBadRequest, "unknown command"));
}

}  // namespace coracle::daemon
