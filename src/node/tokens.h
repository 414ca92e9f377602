// SPDX-License-Identifier: GPL-2.0-or-later
// The service account tokens of one pod: asked for through the API's token subresource, renewed
// when 80 % of their life is over (upstream pkg/kubelet/token). Kept in memory only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/client.h"
#include "json/tree.h"
#include "node/volumes.h"
#include "port/clock.h"

namespace coracle::node {

class TokenListener {
 public:
  virtual void on_tokens(bool ok, std::string_view why) = 0;

 protected:
  ~TokenListener() = default;
};

class Tokens final : api::Caller {
 public:
  Tokens(api::Client& client, port::Clock& clock, TokenListener& listener)
      : client_(client),
        clock_(clock),
        listener_(listener) {}
  ~Tokens() { client_.forget(*this); }
  Tokens(const Tokens&) = delete;
  Tokens& operator=(const Tokens&) = delete;

  // Asks for what the pod wants and what is due. True when every wanted token is there.
  bool ensure(json::Node pod);
  std::optional<Mono> due() const;  // when to call ensure again
  const std::vector<TokenText>& all() const { return texts_; }

 private:
  struct State {
    bool pending = false;
    Mono ask_at;
  };
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void ask(size_t index, json::Node pod);

  api::Client& client_;
  port::Clock& clock_;
  TokenListener& listener_;
  std::vector<TokenText> texts_;  // text empty: not there yet
  std::vector<State> states_;     // parallel
};

}  // namespace coracle::node
