// SPDX-License-Identifier: GPL-2.0-or-later
// The memory that large request bodies may take, over all connections of a server. Small ones are
// not counted: they are bounded by the number of connections and streams.
//
// What arrives is bounded first: beyond it a body is refused. What is whole then waits for its turn
// to be worked on, first come first served, since an API server needs a body several times over
// (as tree, as text, in the log, on its way back) until it has answered.
#pragma once

#include <cstddef>

#include "base/list.h"
#include "port/clock.h"

namespace coracle::http {

class BodyBudget final : private port::TurnEnd {
 public:
  static constexpr size_t kFreeBytes = 64 * 1024;
  static constexpr size_t kArrivingBytesMax = 7 * 1024 * 1024;  // reached: 429 + Retry-After
  static constexpr size_t kWorkedOnBytesMax = 2 * 1024 * 1024;  // reached: waits; one always goes

  class Listener {
   public:
    virtual void on_room() = 0;

   protected:
    ~Listener() = default;
  };

  // One body's share. Gives everything back when destroyed.
  class Share : public Link<Share> {
   public:
    Share(BodyBudget& budget, Listener& listener) : budget_(budget), listener_(listener) {}
    ~Share() { give_back(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    bool grow_to(size_t body_bytes);  // false: the budget is spent
    // The body is whole. False: on_room() follows, at the end of some turn.
    bool begin_work();
    void give_back();

   private:
    friend class BodyBudget;
    BodyBudget& budget_;
    Listener& listener_;
    size_t arriving_ = 0;
    size_t worked_on_ = 0;
  };

  explicit BodyBudget(port::Clock& clock) : clock_(clock) {}
  ~BodyBudget() { clock_.cancel_turn_end(*this); }
  BodyBudget(const BodyBudget&) = delete;
  BodyBudget& operator=(const BodyBudget&) = delete;

 private:
  bool has_room_for(const Share& share) const;
  void enter(Share& share);
  void on_turn_end() override;

  port::Clock& clock_;
  List<Share> waiting_;
  size_t arriving_ = 0;
  size_t worked_on_ = 0;
};

}  // namespace coracle::http
