// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/usage_router.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "client/answer.h"
#include "http/client.h"
#include "node/usage.h"

namespace coracle::daemon {

namespace {
constexpr Duration kPatience = seconds(5);
constexpr size_t kQuestionsMax = 512;
constexpr size_t kAnswerBytesMax = 1024 * 1024;  // 250 pods of four containers are a third of it
}  // namespace

// One node asked. It notes what came; on_turn_end() tells, so that nobody is called from inside.
class UsageRouter::Question final : http::ClientEvents, port::Alarm {
 public:
  Question(UsageRouter& router, api::UsageSink& sink, uint64_t token)
      : router_(router),
        sink_(&sink),
        token_(token) {}

  void ask_remote(const streams::Agent& agent) {
    client_ = std::make_unique<http::Client>(router_.clock_, router_.agents_.network(),
                                             agent.endpoint, agent.tls);
    http::Request request;
    request.method = "GET";
    request.path = "/stats/summary";
    request.headers = {{"accept", "application/json"}};
    timer_ = router_.clock_.timer(*this);
    timer_->arm(router_.clock_.now() + kPatience);
    client_->send(request, *this);
  }
  void answer(Result<api::NodeUsage> usage) {
    if (answer_) return;
    answer_ = std::move(usage);
    router_.clock_.at_turn_end(router_);
  }
  bool asked_by(const api::UsageSink& sink) const { return sink_ == &sink; }
  void drop() { sink_ = nullptr; }
  bool over() const { return answer_.has_value() || sink_ == nullptr; }
  void tell() {
    if (client_ != nullptr) client_->close();
    if (sink_ != nullptr) sink_->on_usage(token_, std::move(*answer_));
  }

 private:
  void on_head(int status, const std::vector<http::Header>&) override { status_ = status; }
  void on_body(std::string_view bytes) override {
    if (body_.size() + bytes.size() <= kAnswerBytesMax) body_ += bytes;
  }
  void on_end() override {
    if (status_ != 200) return answer(client::read_error(status_, body_));
    answer(node::parse_summary(body_));
  }
  void on_failed(std::string_view why) override {
    answer(fail(Code::kUnavailable, join({"the node cannot be reached: ", why})));
  }
  void on_alarm(port::Timer&) override { on_failed("no answer within 5s"); }

  UsageRouter& router_;
  api::UsageSink* sink_;
  const uint64_t token_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<port::Timer> timer_;
  int status_ = 0;
  std::string body_;
  std::optional<Result<api::NodeUsage>> answer_;
};

UsageRouter::UsageRouter(port::Clock& clock, streams::Agents& agents)
    : clock_(clock),
      agents_(agents) {}

UsageRouter::~UsageRouter() {
  clock_.cancel_turn_end(*this);
}

void UsageRouter::ask_usage(const std::string& node, api::UsageSink& sink, uint64_t token) {
  const bool is_full = questions_.size() >= kQuestionsMax;
  questions_.push_back(std::make_unique<Question>(*this, sink, token));
  Question& question = *questions_.back();
  if (is_full) return question.answer(fail(Code::kTooManyRequests, "many nodes are asked"));
  const Result<std::optional<streams::Agent>> agent = agents_.agent_of(node);
  if (!agent) return question.answer(agent.error());
  if (*agent) return question.ask_remote(**agent);
  if (local_ == nullptr)
    return question.answer(fail(Code::kUnavailable, "the node has not started yet"));
  question.answer(local_->usage());
}

void UsageRouter::forget(api::UsageSink& sink) {
  for (const auto* list : {&questions_, &told_}) {
    for (const auto& question : *list) {
      if (question->asked_by(sink)) question->drop();
    }
  }
  clock_.at_turn_end(*this);
}

void UsageRouter::on_turn_end() {
  for (auto& question : questions_) {
    if (question->over()) told_.push_back(std::move(question));
  }
  std::erase(questions_, nullptr);
  for (const auto& question : told_)
    question->tell();
  told_.clear();
}

}  // namespace coracle::daemon
