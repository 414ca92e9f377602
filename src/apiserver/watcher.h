// SPDX-License-Identifier: GPL-2.0-or-later
// One watch: initial rows, then the ring, then live. Owned by its Exchange; listed in Watches.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/watch.h"

namespace coracle::apiserver {

// A change with what is computed from it at most once, whoever asks: trees for selectors, events by
// format.
class SharedChange {
 public:
  SharedChange(const api::Change& change, Wall now) : change_(change), now_(now) {}

  const api::Change& change() const { return change_; }
  bool matches(const Selection& selection, bool before);
  enum class Event : uint8_t { kAdded, kModified, kDeleted };
  struct Look {
    Format format;
    bool columns;  // of a Table: the first row tells what they are
  };
  std::string_view encoded(Event event, const api::Kind& spoken, bool left_selection, Look look);

 private:
  struct Encoded {
    uint32_t key;
    const api::Kind* spoken;
    std::string text;
  };
  const api::Change& change_;
  const Wall now_;
  json::Tree trees_[2];
  std::optional<json::Node> objects_[2];
  std::vector<Encoded> encoded_;
};

struct WatchTerms {
  Format format;
  Selection selection;
  bool initial_events = false;       // start with what is there as ADDED
  bool mark_end_of_initial = false;  // ... and say when that is over
  uint64_t from = 0;                 // else: changes after this version
  Mono deadline;
};

class Watcher final : public Stream, public Link<Watcher> {
 public:
  Watcher(Watches& watches, Exchange& exchange, WatchTerms terms);
  ~Watcher() override;

  void start();
  void on_drained() override;
  void offer(SharedChange& shared);  // live watchers only
  bool is_live() const { return phase_ == Phase::kLive; }
  bool overdue(Mono now) const { return now >= terms_.deadline; }
  void bookmark_if_due(Mono now, uint64_t delivered);
  Mono next_look() const;
  void end();  // a clean end of the stream; *this is gone

 private:
  enum class Phase : uint8_t { kInitial, kCatchingUp, kLive };

  void run();
  bool send_initial();  // false: wait, or gone
  bool catch_up();
  void fall_behind();
  bool send(std::string_view event);  // false: the buffer is full
  void send_bookmark(uint64_t version, bool initial_end);
  void send_error(const Error& error);
  bool deliver(SharedChange& shared);

  Watches& watches_;
  Exchange& exchange_;
  const WatchTerms terms_;
  Phase phase_ = Phase::kInitial;
  std::unique_ptr<store::Rows> rows_;
  store::Position position_;
  uint64_t seen_ = 0;  // every change up to here was sent or did not concern it
  bool columns_sent_ = false;
  Mono next_bookmark_;
};

}  // namespace coracle::apiserver
