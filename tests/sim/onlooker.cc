// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/onlooker.h"

#include "base/bytes.h"
#include "tests/sim/errand.h"
#include "tests/sim/person.h"

namespace coracle::sim {
namespace {

std::string_view type_of(api::ChangeType type) {
  constexpr std::string_view kNames[] = {"ADDED", "MODIFIED", "DELETED"};
  return kNames[static_cast<size_t>(type)];
}

}  // namespace

Onlooker::Onlooker(
    port_sim::Machine& desk, House& house, History& history, Findings& findings, Sight sight)
    : desk_(desk),
      house_(house),
      history_(history),
      findings_(findings),
      sight_(std::move(sight)),
      client_(desk.clock(), desk.network(), {"10.0.0.1", kApiPort}, client_tls(desk.random())),
      timer_(desk.clock().timer(*this)) {}

Onlooker::~Onlooker() {
  client_.close();
}

void Onlooker::add(std::string what) {
  findings_.add(
      join({"the watch of ", sight_.path, " after ", std::to_string(cursor_), ": ", what}));
}

void Onlooker::begin(uint64_t seed) {
  dice_ = port_sim::Dice(seed);
  again();
}

void Onlooker::again() {
  timer_->arm(desk_.clock().now() + milliseconds(static_cast<int64_t>(dice_.between(1, 300))));
}

void Onlooker::let_go() {
  client_.close();
  again();
}

void Onlooker::close() {
  client_.close();
  timer_->disarm();
}

// Now and then it resumes from further back than it must.
void Onlooker::on_alarm(port::Timer&) {
  body_.clear();
  status_ = 0;
  expired_now_ = false;
  watching_ = cursor_ != 0;
  asked_in_life_ = house_.life();
  http::Request request = make_request("GET", sight_.path);
  if (watching_) {
    if (dice_.chance(15)) cursor_ -= dice_.below(std::min<uint64_t>(cursor_, 200));
    request.query =
        join({"watch=1&allowWatchBookmarks=true&resourceVersion=", std::to_string(cursor_),
              "&timeoutSeconds=", std::to_string(dice_.between(1, 100))});
  }
  client_.send(std::move(request), *this);
}

void Onlooker::on_head(int status, const std::vector<http::Header>&) {
  status_ = status;
}

void Onlooker::on_body(std::string_view bytes) {
  body_ += bytes;
  if (!watching_ || status_ != 200) return;
  for (size_t end; (end = body_.find('\n')) != std::string::npos;) {
    const std::string line = body_.substr(0, end);
    body_.erase(0, end + 1);
    take_line(line);
  }
}

void Onlooker::on_end() {
  if (status_ == 200 && !watching_) take_list();
  if (status_ == 410 && watching_) take_expiry(body_);
  const bool need = status_ == 429 || status_ == 503 || status_ == 504;
  if (status_ != 200 && status_ != 410 && !need) add("was answered " + body_);
  if (watching_ && status_ == 200 && !body_.empty()) add("ended in the middle of an event");
  again();
}

void Onlooker::on_failed(std::string_view) {
  again();
}

void Onlooker::take_list() {
  json::Tree tree;
  const auto list = tree.parse(body_);
  if (!list) return add("the list is " + list.error().message);
  const auto version = parse_unsigned((*list)["metadata"]["resourceVersion"].string());
  if (!version) return add("a list without a version");
  compare_list((*list)["items"], *version);
  cursor_ = *version;
}

void Onlooker::compare_list(json::Node items, uint64_t version) {
  if (version < history_.floor()) return;
  if (version > history_.last()) return add("a list from the future");
  const History::Objects then = history_.objects_at(version);
  size_t expected = 0;
  for (const auto& [key, object] : then) {
    if (&object->kind() == sight_.kind && (sight_.ns.empty() || object->ns() == sight_.ns))
      expected++;
  }
  if (items.size() != expected) {
    add(join(
        {"a list of ", std::to_string(items.size()), " instead of ", std::to_string(expected)}));
  }
  for (const json::Node item : items) {
    const json::Node metadata = item["metadata"];
    const auto found = then.find(
        api::storage_key(*sight_.kind, metadata["namespace"].string(), metadata["name"].string()));
    const bool same = found != then.end() && std::to_string(found->second->version()) ==
                                                 metadata["resourceVersion"].string();
    if (!same) add(join({"the list holds another ", metadata["name"].string()}));
  }
}

void Onlooker::take_line(std::string_view line) {
  json::Tree tree;
  const auto parsed = tree.parse(line);
  if (!parsed) return add(join({"not an event: ", line}));
  const std::string_view type = (*parsed)["type"].string();
  if (type == "ERROR") return take_expiry(line);
  take_event(type, (*parsed)["object"]);
}

void Onlooker::take_expiry(std::string_view line) {
  if (line.find("\"code\":410") == std::string_view::npos) return add(std::string(line));
  // A ring only moves on: what it reaches now, it reached then.
  const bool same_life = house_.is_open() && house_.life() == asked_in_life_;
  if (same_life && house_.store().position_after(cursor_)) add("410, although it is remembered");
  expired_++;
  cursor_ = 0;
}

void Onlooker::take_event(std::string_view type, json::Node object) {
  const json::Node metadata = object["metadata"];
  const auto version = parse_unsigned(metadata["resourceVersion"].string());
  if (!version) return add("an event without a version");
  if (cursor_ == 0) return add("goes on after an error");
  history_.trace(join({type, metadata["name"].string(), std::to_string(*version)}));
  heard_++;
  if (*version <= history_.floor()) {
    cursor_ = *version;
    return;
  }
  const api::Change* next = history_.next(*sight_.kind, sight_.ns, cursor_);
  if (type == "BOOKMARK") {
    if (next != nullptr && next->version <= *version) add("a bookmark behind what it did not tell");
    cursor_ = std::max(cursor_, *version);
    return;
  }
  if (next == nullptr || next->version != *version || type != type_of(next->type) ||
      metadata["name"].string() != next->after->name() ||
      metadata["namespace"].string() != next->after->ns()) {
    add(join({type, " ", metadata["name"].string(), " ", std::to_string(*version), " instead of ",
              next == nullptr ? "nothing" : next->after->key(), " ",
              std::to_string(next == nullptr ? 0 : next->version)}));
  }
  cursor_ = *version;
}

bool Onlooker::is_up_to_date() const {
  return cursor_ != 0 && history_.next(*sight_.kind, sight_.ns, cursor_) == nullptr;
}

}  // namespace coracle::sim
