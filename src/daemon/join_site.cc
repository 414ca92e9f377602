// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/join_site.h"

#include <algorithm>

#include "api/processing.h"
#include "base/bytes.h"
#include "base/log.h"
#include "daemon/certificate_renewal.h"
#include "daemon/node_identity.h"
#include "daemon/status_answer.h"
#include "pki/digest.h"
#include "pki/join_token.h"
#include "pki/token.h"

namespace coracle::daemon {

namespace {

constexpr std::string_view kAuthority = "/coracle/v1/authority";
constexpr std::string_view kJoin = "/coracle/v1/join";
constexpr std::string_view kRenew = "/coracle/v1/renew";
constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kServerLabel = "node-role.kubernetes.io/control-plane";
constexpr std::string_view kMasters = "system:masters";
constexpr size_t kJoiningMax = 32;
constexpr uint32_t kGuessesPerAddress = 10;  // a minute
constexpr uint32_t kGuesses = 100;
constexpr size_t kAddressesMax = 64;
constexpr std::string_view kMakeOne = "make one with `coracle token create` on a server";

Error unknown_token() {
  return fail(Code::kUnauthorized,
              join({"this cluster does not know the token: it was mistyped or revoked, or is of "
                    "another cluster; ",
                    kMakeOne}));
}

// What the device says about itself.
struct Wish {
  std::string role;
  std::string node;
  std::string public_key;
};

Result<Wish> read_wish(json::Node body) {
  Wish wish{std::string(body["role"].string()), std::string(body["nodeName"].string()),
            std::string(body["publicKey"].string())};
  if (wish.role != "agent" && wish.role != "server")
    return fail(Code::kBadRequest, "role: agent or server");
  const std::string problem = api::dns1123_subdomain_problem(wish.node);
  if (!problem.empty()) return fail(Code::kBadRequest, join({"nodeName: ", problem}));
  return wish;
}

// Whoever can make such a certificate holds the cluster's authority, as servers do: one whose store
// is damaged comes back without a token.
bool is_a_server(const http::PeerIdentity& peer) {
  const auto& groups = peer.organizations;
  return peer.verified && std::find(groups.begin(), groups.end(), kMasters) != groups.end();
}

struct Version {
  uint64_t major = 0;
  uint64_t minor = 0;
};

Version read_version(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '.');
  if (parts.size() < 2) return {};
  return {parse_unsigned(parts[0]).value_or(0), parse_unsigned(parts[1]).value_or(0)};
}

// As with kubelets: agents may be up to three minor versions older than the servers, never newer.
Result<> check_version(std::string_view role, std::string_view text) {
  constexpr uint64_t kOlderMax = 3;
  const Version theirs = read_version(text);
  const Version ours = read_version(CORACLE_VERSION);
  if (role != "agent") return {};  // servers: see member_admission.cc
  const std::string what = join({"an agent of Coracle ", text.empty() ? "(no version)" : text,
                                 " cannot join a cluster of Coracle ", CORACLE_VERSION, "; "});
  if (text.empty() || theirs.major != ours.major)
    return fail(Code::kConflict, what + "bring the device to the version of the cluster first");
  if (theirs.minor > ours.minor) return fail(Code::kConflict, what + "upgrade the servers first");
  if (theirs.minor + kOlderMax < ours.minor)
    return fail(Code::kConflict, what + "upgrade the device first");
  return {};
}

std::string node_body(std::string_view name, std::string_view identity) {
  json::Tree tree;
  const json::Node node = tree.make_object();
  node.set("kind", "Node");
  node.set("apiVersion", "v1");
  const json::Node metadata = node.object("metadata");
  metadata.set("name", name);
  if (!identity.empty()) metadata.object("annotations").set(kIdentityAnnotation, identity);
  return json::write(node);
}

}  // namespace

// --- Guessing

void Patience::begin_minute(Mono now) {
  if (now - since_ < minutes(1) && since_.ns > 0) return;
  since_ = now;
  total_ = 0;
  by_address_.clear();
}

bool Patience::exhausted(std::string_view address, Mono now) {
  begin_minute(now);
  if (total_ >= kGuesses) return true;
  return std::any_of(by_address_.begin(), by_address_.end(), [&](const Failures& each) {
    return each.address == address && each.count >= kGuessesPerAddress;
  });
}

void Patience::failed(std::string_view address, Mono now) {
  begin_minute(now);
  ++total_;
  for (Failures& each : by_address_) {
    if (each.address == address) {
      ++each.count;
      return;
    }
  }
  if (by_address_.size() < kAddressesMax) by_address_.push_back({std::string(address), 1});
}

// --- One device on its way in

class JoinSite::Joining final : public api::Caller, public ServerAdmission::Applicant {
 public:
  Joining(JoinSite& site, http::Response& response, http::Request request, Wish wish)
      : site_(site),
        response_(&response),
        request_(std::move(request)),
        wish_(std::move(wish)) {}
  ~Joining() {
    site_.client_.forget(*this);
    if (site_.servers_ != nullptr) site_.servers_->forget(*this);
  }

  // Checks the token and counts its use before anything is given away.
  void start();

 private:
  enum class Step : uint8_t { kCount, kAdmit, kNode };
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void on_admitted(Result<std::string> answer_json) override;
  void count(const BootstrapToken& token, const api::Object& secret);
  void admit();
  void put_node();
  void finish();
  void fail_with(const Error& error);

  JoinSite& site_;
  http::Response* response_;
  const http::Request request_;
  const Wish wish_;
  Step step_ = Step::kCount;
  std::string identity_;
  std::string for_server_;  // JSON
  uint32_t attempts_ = 0;
};

void JoinSite::Joining::start() {
  step_ = Step::kCount;
  if (wish_.role == "server" && is_a_server(request_.peer)) return admit();
  const Result<BootstrapToken> token = site_.check_token(request_, wish_.role);
  if (!token) return fail_with(token.error());
  if (!token->uses) return admit();
  const api::ObjectRef secret =
      site_.client_.state().get(api::kSecret, kTokenNamespace, token_secret_name(token->id));
  if (!secret) return fail_with(unknown_token());
  count(*token, *secret);
}

void JoinSite::Joining::count(const BootstrapToken& token, const api::Object& secret) {
  json::Tree tree;
  tree.make_object().object("data").set("coracle-uses",
                                        std::string_view(base64(std::to_string(*token.uses - 1))));
  api::Call call;
  call.verb = api::CallVerb::kMergePatch;
  call.key = {&api::kSecret, std::string(kTokenNamespace), std::string(secret.name())};
  call.body = json::write(tree.root());
  call.expected_version = secret.version();
  site_.client_.submit(std::move(call), *this, 0);
}

void JoinSite::Joining::admit() {
  step_ = Step::kAdmit;
  if (wish_.role != "server") return put_node();
  json::Tree tree;
  const Result<json::Node> body = tree.parse(request_.body);
  site_.servers_->admit(body ? *body : json::Node(), *this);
}

void JoinSite::Joining::on_admitted(Result<std::string> answer_json) {
  if (!answer_json) return fail_with(answer_json.error());
  for_server_ = std::move(*answer_json);
  put_node();
}

void JoinSite::Joining::put_node() {
  step_ = Step::kNode;
  const bool agent = wish_.role == "agent";
  if (agent && identity_.empty()) {
    char bytes[8];
    site_.random_.fill(bytes, sizeof bytes);
    identity_ = hex({bytes, sizeof bytes});
  }
  const api::ObjectRef stored = site_.client_.state().get(api::kNode, {}, wish_.node);
  if (stored && !agent) return finish();
  api::Call call;
  call.key = {&api::kNode, {}, wish_.node};
  call.verb = stored ? api::CallVerb::kMergePatch : api::CallVerb::kCreate;
  call.body = node_body(wish_.node, identity_);
  site_.client_.submit(std::move(call), *this, 0);
}

void JoinSite::Joining::on_answer(uint64_t, Result<api::ObjectRef> answer) {
  if (answer) return step_ == Step::kCount ? admit() : finish();
  const Code code = answer.error().code;
  const bool raced =
      code == Code::kConflict || code == Code::kAlreadyExists || code == Code::kNotFound;
  if (!raced || ++attempts_ > 5) return fail_with(answer.error());
  return step_ == Step::kCount ? start() : put_node();
}

void JoinSite::Joining::finish() {
  json::Tree tree;
  const json::Node answer = tree.make_object();
  site_.add_terms(answer);
  if (wish_.role == "agent") {
    const Result<std::string> made = site_.issue(wish_.node, identity_, wish_.public_key);
    if (!made) return fail_with(made.error());
    answer.set("certificate", std::string_view(*made));
  } else {
    json::Tree more;
    const Result<json::Node> parsed = more.parse(for_server_);
    if (parsed) answer.set("server", *parsed);
  }
  LOG(kInfo, "daemon: a device joined", kv("node", wish_.node), kv("role", wish_.role),
      kv("from", request_.peer_address));
  response_->answer(200, "application/json", json::write(answer));
  site_.ended(*this);
}

void JoinSite::Joining::fail_with(const Error& error) {
  LOG(kWarn, "daemon: a device was not admitted", kv("node", wish_.node), kv("role", wish_.role),
      kv("from", request_.peer_address), kv("why", error.message));
  answer_status(*response_, error);
  site_.ended(*this);
}

// --- The site

JoinSite::JoinSite(http::Site& next,
                   api::Client& client,
                   port::Clock& clock,
                   port::Random& random,
                   JoinTerms terms)
    : next_(next),
      client_(client),
      clock_(clock),
      random_(random),
      terms_(std::move(terms)),
      instances_(client, clock) {}

JoinSite::~JoinSite() = default;

void JoinSite::on_request(http::Request&& request, http::Response& response) {
  if (!request.path.starts_with("/coracle/")) {
    if (const Result<> device = check_device(request); !device)
      return answer_status(response, device.error());
    return next_.on_request(std::move(request), response);
  }
  const bool get = request.path == kAuthority;
  if (!get && request.path != kJoin && request.path != kRenew)
    return answer_status(response, fail(Code::kNotFound, "there is nothing at this path"));
  if (request.method != (get ? "GET" : "POST"))
    return answer_status(response, fail(Code::kMethodNotAllowed, "this path takes another method"));
  if (patience_.exhausted(request.peer_address, clock_.now()))
    return answer_status(
        response,
        fail(Code::kTooManyRequests, "too many wrong tokens; wait a minute before the next try"));
  if (get) return show_authority(request, response);
  if (request.path == kRenew) return renew(request, response);
  begin_join(request, response);
}

// The certificate of a device that was replaced is still valid by itself.
Result<> JoinSite::check_device(const http::Request& request) {
  const http::PeerIdentity& peer = request.peer;
  const std::string_view name = node_of(peer.common_name);
  if (!peer.verified || name.empty()) return {};
  const api::ObjectRef node = client_.state().get(api::kNode, {}, name);
  if (!node) return {};
  if (!is_replaced(*node, identity_of(peer.organizations)))
    return instances_.admit(*node, identity_of(peer.organizations),
                            request.header(kInstanceHeader));
  return fail(Code::kUnauthorized, join({"another device has joined as \"", name,
                                         "\"; this one may join again under "
                                         "another name"}));
}

void JoinSite::on_drained(http::Response& response) {
  if (!joining_.contains(&response)) next_.on_drained(response);
}

void JoinSite::on_gone(http::Response& response) {
  if (joining_.erase(&response) == 0) next_.on_gone(response);
}

void JoinSite::ended(Joining& joining) {
  for (auto at = joining_.begin(); at != joining_.end(); ++at) {
    if (at->second.get() != &joining) continue;
    joining_.erase(at);
    return;
  }
}

// The code lets the bearer of a token without a pin believe the authority; to others it says
// nothing.
void JoinSite::show_authority(const http::Request& request, http::Response& response) {
  json::Tree tree;
  const json::Node answer = tree.make_object();
  answer.set("authority", std::string_view(terms_.authority.certificate_pem));
  for (const auto& [name, id] : http::parse_query(request.query)) {
    if (name != "token") continue;
    const api::ObjectRef secret =
        client_.state().get(api::kSecret, kTokenNamespace, token_secret_name(id));
    json::Tree secret_tree;
    const BootstrapToken token =
        secret ? read_token_secret(secret->parse(secret_tree)) : BootstrapToken();
    if (token.secret.empty()) {
      patience_.failed(request.peer_address, clock_.now());
      continue;
    }
    answer.set("code", std::string_view(
                           pki::authority_code(terms_.authority.certificate_pem, token.secret)));
  }
  response.answer(200, "application/json", json::write(answer));
}

Result<BootstrapToken> JoinSite::check_token(const http::Request& request, std::string_view role) {
  const std::string_view header = request.header("authorization");
  const Result<pki::JoinToken> given = pki::parse_join_token(
      header.starts_with(kBearer) ? header.substr(kBearer.size()) : std::string_view());
  if (!given) return fail(Code::kUnauthorized, given.error().message);
  const api::ObjectRef secret =
      client_.state().get(api::kSecret, kTokenNamespace, token_secret_name(given->id));
  json::Tree tree;
  const BootstrapToken token = secret ? read_token_secret(secret->parse(tree)) : BootstrapToken();
  if (token.secret.empty() ||
      !pki::equal_in_constant_time(pki::sha256(token.secret), pki::sha256(given->secret))) {
    patience_.failed(request.peer_address, clock_.now());
    return unknown_token();
  }
  if (token.expires && *token.expires <= clock_.trusted())
    return fail(Code::kUnauthorized,
                join({"the token expired at ", rfc3339(*token.expires), "; ", kMakeOne}));
  if (token.uses && *token.uses <= 0)
    return fail(Code::kUnauthorized,
                join({"the token was used as often as it allows; ", kMakeOne}));
  if (role == "server" && token.role != "server")
    return fail(Code::kForbidden,
                "the token admits agents only; a server needs one of `coracle token create --role "
                "server`");
  return token;
}

void JoinSite::begin_join(const http::Request& request, http::Response& response) {
  if (joining_.size() >= kJoiningMax)
    return answer_status(response,
                         fail(Code::kTooManyRequests, "many devices join at this moment"));
  json::Tree tree;
  const Result<json::Node> body = tree.parse(request.body);
  if (!body) return answer_status(response, body.error());
  Result<Wish> wish = read_wish(*body);
  if (!wish) return answer_status(response, wish.error());
  if (const Result<> fits = check_version(wish->role, (*body)["version"].string()); !fits)
    return answer_status(response, fits.error());
  if (wish->role == "server" && servers_ == nullptr)
    return answer_status(
        response, fail(Code::kUnavailable, "this server does not admit servers; ask another one"));
  if (wish->role == "agent") {
    const api::ObjectRef node = client_.state().get(api::kNode, {}, wish->node);
    json::Tree node_tree;
    if (node && node->parse(node_tree)["metadata"]["labels"][kServerLabel]) {
      return answer_status(
          response, fail(Code::kConflict, join({"\"", wish->node,
                                                "\" is the name of a server of this "
                                                "cluster; choose another with --node-name"})));
    }
  }
  auto joining = std::make_unique<Joining>(*this, response, request, std::move(*wish));
  Joining& started = *joining;
  joining_[&response] = std::move(joining);
  started.start();
}

Result<std::string> JoinSite::issue(std::string_view node,
                                    std::string_view identity,
                                    std::string_view public_key) {
  pki::CertificateOptions options;
  options.common_name = join({"system:node:", node});
  options.organizations = {"system:nodes", join({kIdentityGroup, identity})};
  options.dns_names = {std::string(node)};
  options.usage = pki::Usage::kServerAndClient;
  const Wall now = clock_.trusted();
  options.not_before = Wall{std::max<int64_t>(0, now.ns - kCertificateBackdate.ns)};
  options.not_after = now + terms_.certificate_life;
  return pki::certify(options, public_key, terms_.authority, random_);
}

void JoinSite::add_terms(json::Node answer) const {
  answer.set("authority", std::string_view(terms_.authority.certificate_pem));
  answer.set("clusterCidr", std::string_view(terms_.cluster_cidr));
  answer.set("serviceCidr", std::string_view(terms_.service_cidr));
  answer.set("clusterDns", std::string_view(terms_.cluster_dns));
  answer.set("clusterDomain", std::string_view(terms_.cluster_domain));
  const json::Node servers = answer.array("servers");
  servers.append(std::string_view(terms_.own_address));
}

// --- The next certificate

Result<std::string> JoinSite::make_renewal(json::Node body) {
  const std::string_view certificate = body["certificate"].string();
  TRY(pki::check_issued_by(certificate, terms_.authority.certificate_pem));
  const pki::CertificateFacts facts = TRY(pki::read_certificate(certificate));
  const std::string_view name = node_of(facts.common_name);
  const std::string_view identity = identity_of(facts.organizations);
  if (name.empty() || identity.empty())
    return fail(Code::kForbidden, "only certificates of agents are renewed here");
  const std::string old_key = TRY(pki::certificate_public_key(certificate));
  const std::string claims = TRY(pki::verify_token(body["proof"].string(), old_key));
  json::Tree tree;
  const json::Node proof = TRY(tree.parse(claims));
  const std::string_view public_key = body["publicKey"].string();
  if (proof["publicKey"].string() != public_key)
    return fail(Code::kForbidden, "the proof is for another key");
  const api::ObjectRef node = client_.state().get(api::kNode, {}, name);
  if (!node)
    return fail(Code::kForbidden, join({"node \"", name,
                                        "\" was removed from the cluster; join "
                                        "again with a token: ",
                                        kMakeOne}));
  if (is_replaced(*node, identity))
    return fail(Code::kForbidden, join({"another device has joined as \"", name,
                                        "\"; join again "
                                        "under another name"}));
  return issue(name, identity, public_key);
}

void JoinSite::renew(const http::Request& request, http::Response& response) {
  json::Tree tree;
  const Result<json::Node> body = tree.parse(request.body);
  if (!body) return answer_status(response, body.error());
  const Result<std::string> made = make_renewal(*body);
  if (!made) {
    patience_.failed(request.peer_address, clock_.now());
    LOG(kWarn, "daemon: a certificate was not renewed", kv("from", request.peer_address),
        kv("why", made.error().message));
    return answer_status(response, made.error());
  }
  json::Tree answer_tree;
  const json::Node answer = answer_tree.make_object();
  add_terms(answer);
  answer.set("certificate", std::string_view(*made));
  response.answer(200, "application/json", json::write(answer));
}

}  // namespace coracle::daemon
