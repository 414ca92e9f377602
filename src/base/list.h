// SPDX-License-Identifier: GPL-2.0-or-later
// Intrusive doubly linked list: membership without allocation. A Link removes itself when it is
// destroyed.
#pragma once

#include "base/assert.h"

namespace coracle {

template <class T>
class List;

template <class T>
class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { unlink(); }
  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (!linked()) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }

 private:
  friend class List<T>;
  Link* next_ = nullptr;
  Link* previous_ = nullptr;
};

// T derives from Link<T>. The list does not own its members.
template <class T>
class List {
 public:
  List() { head_.next_ = head_.previous_ = &head_; }
  ~List() {
    while (!empty())
      head_.next_->unlink();  // NOLINT: a ring, never null
    head_.next_ = head_.previous_ = nullptr;
  }
  bool empty() const { return head_.next_ == &head_; }
  T* front() const { return empty() ? nullptr : static_cast<T*>(head_.next_); }
  T* next(const T* member) const {
    const Link<T>* link = member;
    return link->next_ == &head_ ? nullptr : static_cast<T*>(link->next_);
  }
  void push_back(T& member) {
    Link<T>& link = member;
    ASSERT(!link.linked());
    link.previous_ = head_.previous_;
    link.next_ = &head_;
    head_.previous_->next_ = &link;
    head_.previous_ = &link;
  }

 private:
  Link<T> head_;
};

}  // namespace coracle
