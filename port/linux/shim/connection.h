// SPDX-License-Identifier: GPL-2.0-or-later
// The one connection to the daemon. It never blocks the shim: a daemon that does not read is cut
// off and finds the whole state again when it comes back.
#pragma once

#include "port/linux/shim/container.h"

namespace coracle::shim {

class Connection {
 public:
  using Obey = void (*)(const char* record, size_t bytes);

  bool open() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  bool accept();  // the newest daemon is the right one; says "ready"
  void receive(Obey obey);
  void send_container(const Container& container);
  void send_tapped(const Container& container);
  void refuse(const char* why);

 private:
  void send(const Writer& fields);
  void close();

  int fd_ = -1;
  char* received_ = nullptr;  // an unfinished record; memory exists only while there is one
  size_t received_bytes_ = 0;
};

}  // namespace coracle::shim
