// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/reflector.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/log.h"
#include "client/paths.h"

namespace coracle::client {

namespace {

constexpr Duration kPauseFirst = milliseconds(250);
constexpr Duration kPauseMax = seconds(10);
constexpr Duration kLivedLong = seconds(1);  // its end is no failure
constexpr size_t kLineBytesMax = limits::kBodyBytesMax + 64 * 1024;

}  // namespace

std::string Reflector::query() const {
  std::string query = "watch=1&allowWatchBookmarks=true";
  std::string fields;
  if (!selection_.name.empty()) fields = "metadata.name=" + selection_.name;
  if (!selection_.node.empty()) fields = "spec.nodeName=" + selection_.node;
  if (!fields.empty()) query += "&fieldSelector=" + http::percent_encode(fields);
  if (listing_) query += "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
  if (version_ > 0) query += "&resourceVersion=" + std::to_string(version_);
  return query;
}

void Reflector::run(http::Channel& channel) {
  if (running_) return;
  // A list that broke off is taken from its beginning.
  if (!complete_ || polled()) listing_ = true;
  running_ = true;
  bad_ = false;
  status_ = 0;
  rest_.clear();
  began_ = clock_.now();
  http::Request request;
  request.method = "GET";
  if (polled()) {
    const api::Key key{selection_.kind, selection_.ns, selection_.name};
    request.path = object_path(key, api::Subresource::kNone);
  } else {
    request.path = collection_path(*selection_.kind, selection_.ns);
    request.query = query();
  }
  request.headers = {{"accept", "application/json"}};
  if (listing_) reflected_.on_list_begins(*this);
  channel.send(std::move(request), *this);
}

void Reflector::on_head(int status, const std::vector<http::Header>&) {
  status_ = status;
}

void Reflector::on_body(std::string_view bytes) {
  if (polled()) {
    if (rest_.size() + bytes.size() <= kLineBytesMax) rest_ += bytes;
    return;
  }
  while (!bytes.empty() && !bad_) {
    const size_t end = bytes.find('\n');
    if (rest_.size() + std::min(end, bytes.size()) > kLineBytesMax) {
      bad_ = true;
      return;
    }
    if (end == std::string_view::npos) {
      rest_ += bytes;
      return;
    }
    if (rest_.empty()) {
      take_line(bytes.substr(0, end));
    } else {
      rest_ += bytes.substr(0, end);
      const std::string line = std::exchange(rest_, {});
      take_line(line);
    }
    bytes.remove_prefix(end + 1);
  }
}

void Reflector::on_end() {
  if (polled() && (status_ == 200 || status_ == 404)) take_read();
  stop({});
  if (polled() && !bad_) due_ = clock_.now() + selection_.every;
}

void Reflector::take_read() {
  const std::string text = std::exchange(rest_, {});
  json::Tree tree;
  const Result<json::Node> object = tree.parse(text);
  bad_ = !object;
  if (object && status_ == 200) take_event("ADDED", *object);
  if (bad_) return;
  complete_ = true;
  refused_ = false;
  pause_ = {};
  reflected_.on_list_complete(*this, version_);
}

void Reflector::take_line(std::string_view line) {
  if (trim(line).empty()) return;
  json::Tree tree;
  const Result<json::Node> event = tree.parse(line);
  if (!event) {
    bad_ = true;
    return;
  }
  if (status_ != 200) return take_error(*event);
  const std::string_view type = (*event)["type"].string();
  const json::Node object = (*event)["object"];
  if (type == "ERROR") return take_error(object);
  if (type == "BOOKMARK") return take_bookmark(object);
  take_event(type, object);
}

void Reflector::take_event(std::string_view type, json::Node object) {
  const uint64_t version =
      parse_unsigned(object["metadata"]["resourceVersion"].string()).value_or(0);
  Result<api::ObjectRef> made = api::seal(*selection_.kind, object, version);
  if (!made || version == 0) {
    bad_ = true;
    return;
  }
  if (!listing_ || polled()) version_ = std::max(version_, version);
  if (type == "DELETED") return reflected_.on_gone(*this, **made);
  reflected_.on_object(*this, std::move(*made));
}

void Reflector::take_bookmark(json::Node object) {
  const json::Node metadata = object["metadata"];
  const uint64_t version = parse_unsigned(metadata["resourceVersion"].string()).value_or(0);
  version_ = std::max(version_, version);
  if (!listing_) return;
  if (metadata["annotations"]["k8s.io/initial-events-end"].string() != "true") return;
  listing_ = false;
  complete_ = true;
  refused_ = false;
  pause_ = {};
  reflected_.on_list_complete(*this, version_);
}

void Reflector::take_error(json::Node status) {
  const int64_t code = status["code"].integer();
  if (code == 410) {
    version_ = 0;
    listing_ = true;
    return;
  }
  bad_ = true;
  refused_ = true;
  // Every list would say the same.
  if (code == 401 && selection_.kind == &api::kNode)
    LOG(kWarn, "client: not let in", kv("why", status["message"].string()));
  LOG(kDebug, "client: watch was refused", kv("kind", selection_.kind->plural),
      kv("why", status["message"].string()));
}

void Reflector::stop(std::string_view) {
  running_ = false;
  // A refusal is one Status without a line's end.
  if (const std::string rest = std::exchange(rest_, {}); status_ != 200 && !rest.empty())
    take_line(rest);
  const bool lived = !bad_ && clock_.now() - began_ >= kLivedLong;
  pause_ = lived ? Duration{} : std::clamp(pause_ * 2, kPauseFirst, kPauseMax);
  due_ = clock_.now() + pause_;
  reflected_.on_stopped(*this);
}

}  // namespace coracle::client
