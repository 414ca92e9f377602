// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/watcher.h"

#include <algorithm>

#include "api/custom_kinds.h"
#include "apiserver/list.h"
#include "apiserver/status.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "json/writer.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kEventNames[] = {"ADDED", "MODIFIED", "DELETED"};

void append_event(std::string& out,
                  std::string_view type,
                  const View& view,
                  Format format,
                  Wall now,
                  bool columns) {
  out += join({"{\"type\":\"", type, "\",\"object\":"});
  append_formatted(out, view, format, now, columns);
  out += "}\n";
}

std::string bookmark_object(const api::Kind& kind,
                            uint64_t version,
                            bool initial_end,
                            Format format) {
  const bool plain = format.shape == Shape::kObject;
  const std::string api_version =
      plain ? api::group_version(kind) : std::string(meta_version(format.beta));
  const std::string_view name = plain ? kind.name : "PartialObjectMetadata";
  const std::string_view annotations =
      initial_end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "";
  return join({"{\"kind\":\"", name, "\",\"apiVersion\":\"", api_version,
               "\",\"metadata\":{\"resourceVersion\":\"", std::to_string(version),
               "\",\"creationTimestamp\":null", annotations, "}}"});
}

Error too_old(uint64_t wanted, uint64_t newest) {
  return fail(Code::kExpired, join({"too old resource version: ", std::to_string(wanted), " (",
                                    std::to_string(newest), ")"}));
}

}  // namespace

bool SharedChange::matches(const Selection& selection, bool before) {
  const api::ObjectRef& object = before ? change_.before : change_.after;
  if (!object) return false;
  if (selection.everything()) return true;
  if (!selection.name().empty() && selection.name() != object->name()) return false;
  if (selection.only_name()) return true;
  std::optional<json::Node>& parsed = objects_[before ? 0 : 1];
  if (!parsed) parsed = object->parse(trees_[before ? 0 : 1]);
  return selection.matches_object(*parsed);
}

std::string_view SharedChange::encoded(Event event,
                                       const api::Kind& spoken,
                                       bool left_selection,
                                       Look look) {
  const uint32_t key =
      (static_cast<uint32_t>(event) * Format::kNumbers + look.format.number()) * 4 +
      (look.columns ? 2u : 0u) + (left_selection ? 1u : 0u);
  for (const Encoded& done : encoded_) {
    if (done.key == key && done.spoken == &spoken) return done.text;
  }
  const api::ObjectRef& object = left_selection ? change_.before : change_.after;
  Encoded made{key, &spoken, {}};
  append_event(made.text, kEventNames[static_cast<size_t>(event)],
               {&spoken, object->text(), change_.version}, look.format, now_, look.columns);
  encoded_.push_back(std::move(made));
  return encoded_.back().text;
}

Watcher::Watcher(Watches& watches, Exchange& exchange, WatchTerms terms)
    : watches_(watches),
      exchange_(exchange),
      terms_(std::move(terms)),
      next_bookmark_(watches.clock_.now() + limits::kBookmarkInterval) {
  watches_.watchers_.push_back(*this);
  ++watches_.count_;
}

Watcher::~Watcher() {
  --watches_.count_;
}

void Watcher::start() {
  const http::Header headers[] = {{"content-type", "application/json"},
                                  {"cache-control", "no-cache, private"}};
  exchange_.response()->start(200, headers);
  const Request& request = exchange_.request;
  if (terms_.initial_events) {
    Result<std::unique_ptr<store::Rows>> rows =
        newest_rows(watches_.store_, request, terms_.selection);
    if (!rows) return send_error(rows.error());
    rows_ = std::move(rows).value();
    seen_ = rows_->version();
  } else {
    seen_ = terms_.from;
    const Result<store::Position> position = watches_.store_.position_after(seen_);
    if (!position) return send_error(too_old(seen_, watches_.store_.version()));
    position_ = *position;
    phase_ = Phase::kCatchingUp;
  }
  run();
}

void Watcher::on_drained() {
  run();
}

void Watcher::run() {
  if (phase_ == Phase::kInitial && !send_initial()) return;
  if (phase_ == Phase::kCatchingUp) catch_up();
}

bool Watcher::send_initial() {
  store::Rows::Row row;
  for (;;) {
    const Result<bool> more = rows_->next(row);
    if (!more) {
      send_error(more.error());
      return false;
    }
    if (!*more) break;
    if (!terms_.selection.matches(row.text)) continue;
    std::string event;
    const View view{&exchange_.request.spoken(), row.text, row.version};
    append_event(event, "ADDED", view, terms_.format, watches_.clock_.wall(), !columns_sent_);
    columns_sent_ = true;
    if (!send(event)) return false;
  }
  rows_.reset();
  if (terms_.mark_end_of_initial) send_bookmark(seen_, true);
  const Result<store::Position> position = watches_.store_.position_after(seen_);
  if (!position) {
    send_error(too_old(seen_, watches_.store_.version()));
    return false;
  }
  position_ = *position;
  phase_ = Phase::kCatchingUp;
  return true;
}

bool Watcher::catch_up() {
  for (;;) {
    api::Change change;
    switch (watches_.store_.read(position_, change)) {
      case store::RingRead::kEnd:
        phase_ = Phase::kLive;
        return true;
      case store::RingRead::kLost:
        end();
        return false;
      case store::RingRead::kChange:
        break;
    }
    SharedChange shared(change, watches_.clock_.wall());
    if (!deliver(shared)) return false;
  }
}

void Watcher::offer(SharedChange& shared) {
  if (!deliver(shared)) fall_behind();
}

// From now on the ring is read; the next change to read is the one after the last delivered.
void Watcher::fall_behind() {
  const Result<store::Position> position = watches_.store_.position_after(seen_);
  if (!position) return end();
  position_ = *position;
  phase_ = Phase::kCatchingUp;
}

// False: the buffer is full now; the event itself was taken.
bool Watcher::deliver(SharedChange& shared) {
  const api::Change& change = shared.change();
  if (change.version <= seen_) return true;
  seen_ = change.version;
  const Request& request = exchange_.request;
  if (!api::same_resource(change.after->kind(), *request.kind)) return true;
  if (!request.ns.empty() && change.after->ns() != request.ns) return true;
  using Event = SharedChange::Event;
  const bool is = shared.matches(terms_.selection, false);
  const bool was =
      change.type == api::ChangeType::kModified && shared.matches(terms_.selection, true);
  Event event = Event::kModified;
  if (change.type == api::ChangeType::kDeleted) {
    if (!is) return true;
    event = Event::kDeleted;
  } else if (is && !was) {
    event = Event::kAdded;
  } else if (!is && was) {
    event = Event::kDeleted;
  } else if (!is) {
    return true;
  }
  const bool left = was && !is;
  const bool columns = terms_.format.shape == Shape::kTable && !columns_sent_;
  columns_sent_ = true;
  return send(shared.encoded(event, request.spoken(), left, {terms_.format, columns}));
}

bool Watcher::send(std::string_view event) {
  exchange_.response()->write(event);
  return exchange_.response()->backlog() < limits::kSendBufferBytesMax;
}

void Watcher::send_bookmark(uint64_t version, bool initial_end) {
  const api::Kind& kind = exchange_.request.spoken();
  const std::string object = bookmark_object(kind, version, initial_end, terms_.format);
  std::string event = "{\"type\":\"BOOKMARK\",\"object\":";
  if (terms_.format.shape == Shape::kTable) {
    const std::string metadata = list_metadata(version);
    append_table_head(event, {&kind, terms_.format.beta, metadata, !columns_sent_});
    columns_sent_ = true;
    event += join({"{\"cells\":[],\"object\":", object, "}]}"});
  } else {
    event += object;
  }
  event += "}\n";
  exchange_.response()->write(event);
}

void Watcher::send_error(const Error& error) {
  const std::string status = failure_status(exchange_.request, error);
  exchange_.response()->write(join({"{\"type\":\"ERROR\",\"object\":", status, "}\n"}));
  end();
}

void Watcher::bookmark_if_due(Mono now, uint64_t delivered) {
  if (now < next_bookmark_) return;
  next_bookmark_ = now + limits::kBookmarkInterval;
  if (!exchange_.request.options.bookmarks || phase_ != Phase::kLive) return;
  seen_ = std::max(seen_, delivered);
  send_bookmark(seen_, false);
}

Mono Watcher::next_look() const {
  if (!exchange_.request.options.bookmarks) return terms_.deadline;
  return std::min(terms_.deadline, next_bookmark_);
}

void Watcher::end() {
  exchange_.response()->finish();
  exchange_.close();
}

}  // namespace coracle::apiserver
