// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/house.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "tests/unit/http/certificates.h"

namespace coracle::sim {

House::House(port_sim::Machine& machine, History& history) : machine_(machine), history_(history) {}

House::Rooms::~Rooms() {
  http.reset();
  scheduler.reset();
  controllers.reset();
  node_client.reset();
  scheduler_client.reset();
  controller_client.reset();
  api.reset();
  store.reset();
}

Result<> House::open() {
  auto rooms = std::make_unique<Rooms>();
  TRY(build(*rooms));
  rooms_ = std::move(rooms);
  life_++;
  return {};
}

Result<> House::build(Rooms& rooms) {
  using apiserver::LocalClient;
  using apiserver::LocalUser;
  port::Clock& clock = machine_.clock();
  rooms.log_lane = machine_.lane();
  rooms.state_lane = machine_.lane();
  rooms.store =
      TRY(store::open_store(options_, clock, machine_.disk(), *rooms.log_lane, *rooms.state_lane));
  if (!machine_.disk().platter().powered()) return fail(Code::kIo, "the power failed");
  // The one who keeps the history reads all rows; the power does not fail because of that.
  uint64_t& power_off_at = machine_.disk().faults().power_off_at;
  const uint64_t planned = std::exchange(power_off_at, 0);
  history_.resume(*rooms.store);
  if (planned > 0) power_off_at = std::max(planned, machine_.disk().platter().operations() + 1);
  rooms.store->subscribe(history_);

  apiserver::ServerOptions options;
  options.token_key_pem = testing_certificates::kServerKey;
  options.ca_pem = testing_certificates::kAuthority;
  options.server_address = join({machine_.address(), ":", std::to_string(kApiPort)});
  rooms.api = std::make_unique<apiserver::ApiServer>(clock, machine_.random(), *rooms.store,
                                                     nullptr, std::move(options));
  rooms.api->start();
  http::TlsServerOptions tls;
  tls.certificate_pem = testing_certificates::kServer;
  tls.key_pem = testing_certificates::kServerKey;
  tls.client_ca_pem = testing_certificates::kAuthority;
  rooms.http = std::make_unique<http::Server>(clock, machine_.random(), *rooms.api);
  rooms.http->use_tls(TRY(http::make_tls_server(tls, machine_.random())));
  TRY(rooms.http->listen(machine_.network(), {machine_.address(), kApiPort}));

  const auto client = [&](LocalUser user) {
    return std::make_unique<LocalClient>(*rooms.api, std::move(user));
  };
  rooms.controller_client = client({"system:kube-controller-manager", {}});
  rooms.scheduler_client = client({"system:kube-scheduler", {}});
  rooms.node_client = client({join({"system:node:", kNodeName}), {"system:nodes"}});
  rooms.controllers = std::make_unique<controllers::Runner>(
      *rooms.controller_client, clock, machine_.random(), testing_certificates::kAuthority);
  rooms.scheduler =
      std::make_unique<scheduler::Scheduler>(*rooms.scheduler_client, clock, machine_.random());
  rooms.controllers->start();
  rooms.scheduler->start();
  return {};
}

void House::demolish() {
  rooms_.reset();
}

Result<> House::close() {
  rooms_->http->stop_accepting();
  rooms_->api->stop();
  rooms_->controllers->stop();
  rooms_->scheduler->stop();
  return rooms_->store->close();
}

}  // namespace coracle::sim
