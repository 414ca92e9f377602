// SPDX-License-Identifier: GPL-2.0-or-later
// A TCP connection, or a GET over one.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "node/attempt.h"

namespace coracle::node {

namespace {

constexpr size_t kStatusEnd = 12;

std::string request_text(const Deed& deed) {
  std::string text = join({"GET ", deed.path, " HTTP/1.1\r\n"});
  for (const auto& [name, value] : deed.headers)
    text += join({name, ": ", value, "\r\n"});
  return text += "Connection: close\r\n\r\n";
}

class PlainAttempt final : public Attempt, port::StreamEvents, port::Alarm {
 public:
  PlainAttempt(const AttemptPlace& place, Deed deed, Duration timeout, Done& done)
      : deed_(std::move(deed)),
        done_(done),
        timer_(place.clock.timer(*this)) {
    timer_->arm(place.clock.now() + timeout);
    stream_ = place.network.connect(deed_.endpoint, *this);
  }

 private:
  void on_connected() override;
  void on_bytes(std::string_view bytes) override;
  void on_closed(std::string_view why) override;
  void on_alarm(port::Timer& timer) override;
  void finish(bool ok, std::string_view why);

  const Deed deed_;
  Done& done_;
  std::unique_ptr<port::Timer> timer_;
  std::unique_ptr<port::Stream> stream_;
  std::string head_;
  bool connected_ = false;
};

void PlainAttempt::on_connected() {
  connected_ = true;
  if (deed_.way == Way::kConnect) return finish(true, {});
  stream_->send(request_text(deed_));
}

// "HTTP/1.1 200 OK"
void PlainAttempt::on_bytes(std::string_view bytes) {
  head_ += bytes.substr(0, kStatusEnd - std::min(head_.size(), kStatusEnd));
  if (head_.size() < kStatusEnd) return;
  const auto status = parse_unsigned(std::string_view(head_).substr(9, 3));
  if (!head_.starts_with("HTTP/1.") || !status)
    return finish(false, join({"Get \"", deed_.url, "\": malformed HTTP response"}));
  if (is_healthy(*status)) return finish(true, {});
  finish(false, join({"HTTP probe failed with statuscode: ", std::to_string(*status)}));
}

void PlainAttempt::on_closed(std::string_view why) {
  const std::string where = join({"dial tcp ", deed_.endpoint.host, ":",
                                  std::to_string(deed_.endpoint.port), ": connect: ", why});
  if (deed_.url.empty()) return finish(false, where);
  if (!connected_) return finish(false, join({"Get \"", deed_.url, "\": ", where}));
  finish(false, join({"Get \"", deed_.url, "\": EOF"}));
}

void PlainAttempt::on_alarm(port::Timer&) {
  if (deed_.url.empty())
    return finish(false, join({"dial tcp ", deed_.endpoint.host, ":",
                               std::to_string(deed_.endpoint.port), ": i/o timeout"}));
  finish(false,
         join({"Get \"", deed_.url,
               "\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"}));
}

void PlainAttempt::finish(bool ok, std::string_view why) {
  timer_->disarm();
  stream_.reset();
  done_.on_attempt(ok, std::string(why));
}

}  // namespace

std::unique_ptr<Attempt> plain_attempt(const AttemptPlace& place,
                                       const Deed& deed,
                                       Duration timeout,
                                       Attempt::Done& done) {
  return std::make_unique<PlainAttempt>(place, deed, timeout, done);
}

}  // namespace coracle::node
