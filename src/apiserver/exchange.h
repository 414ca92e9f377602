// SPDX-License-Identifier: GPL-2.0-or-later
// Exchange: one request on its way through the pipeline and the one who waits for its answer (an
// HTTP response or an in-process caller). After reply(), fail() or close() it is gone: return at
// once and touch nothing of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/pod_logs.h"
#include "apiserver/evictions.h"
#include "apiserver/request.h"
#include "base/result.h"
#include "http/server.h"
#include "port/clock.h"
#include "port/random.h"
#include "store/store.h"

namespace coracle::api {
class Documents;
class PodStreams;
class Usages;
}  // namespace coracle::api

namespace coracle::streams {
class Agents;
}

namespace coracle::apiserver {

class Authenticator;
class Authorizer;
class Pages;
class Pipeline;
class Quotas;
class ServiceAddresses;
class Tokens;
class Watches;
struct ServerOptions;

// What the stages work with; owned by ApiServer, wired in its constructor.
struct Parts {
  port::Clock& clock;
  port::Random& random;
  store::Store& store;
  api::PodLogs* logs;
  const ServerOptions& options;
  Tokens& tokens;
  Authenticator& authenticator;
  Authorizer& authorizer;
  ServiceAddresses& addresses;
  Watches& watches;
  Pages& pages;
  Pipeline& pipeline;
  Quotas& quotas;
  api::PodStreams* streams = nullptr;  // of this node
  streams::Agents* agents = nullptr;   // of the others
  api::Usages* usages = nullptr;       // what nodes use
  Evictions evictions = {};
};

struct Reply {
  int code = 200;
  api::ObjectRef object;  // shaped by the Accept header; or, if null,
  std::string text;       // a finished body
  std::string_view content_type = "application/json";
  std::vector<http::Header> headers = {};
  api::ObjectRef in_process = {};  // what an in-process caller gets where `text` answers HTTP
};

// An answer that takes more than one turn: a long list, a watch, a log.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual void on_drained() = 0;
};

class Exchange : public store::Waiter {
 public:
  explicit Exchange(Pipeline& pipeline) : pipeline_(pipeline) {}
  virtual ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  virtual void reply(Reply reply) = 0;
  virtual void fail(const Error& error, std::string_view continue_token = {}) = 0;
  virtual http::Response* response() { return nullptr; }  // null in process
  virtual void close() = 0;                               // after the stream's last byte
  virtual void lasts() {}  // watches and followed logs do not count as reads in flight

  Request request;
  std::unique_ptr<Stream> stream;
  bool waiting = false;  // a proposal is on its way

  // Whether what is stored here is as new as anything acknowledged before. False: the pipeline goes
  // on when it is.
  bool confirm(store::Store& store);

 private:
  struct Confirmation final : store::ReadWaiter {
    explicit Confirmation(Exchange& owner_in) : owner(owner_in) {}
    void on_confirmed(Result<> outcome) override;
    Exchange& owner;
    store::Store* asked = nullptr;  // and not answered yet
  };
  void on_outcome(Result<api::Change> outcome) final;

  Pipeline& pipeline_;
  Confirmation confirmation_{*this};
};

enum class Next : uint8_t { kGoOn, kDone };  // kDone: answered, streaming or waiting

}  // namespace coracle::apiserver
