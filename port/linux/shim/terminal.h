// SPDX-License-Identifier: GPL-2.0-or-later
// Containers with stdin or a terminal. Their input is a FIFO ("in" in the container's directory)
// that the daemon writes; it stays open for the container until the daemon says "eof". A terminal
// is made by crun, which hands its master over a socket ("con").
#pragma once

#include "port/linux/shim/text.h"

namespace coracle::shim {

constexpr size_t kSocketPathMax = 108;  // of sockaddr_un

// A listening socket, or -1. `path`: for crun, short however long our directory is.
int listen_console(const char* id, Writer& path);
// The terminal that crun has sent, or -1. Closes `listening`.
int accept_console(int listening, const char* id);

class Input {
 public:
  void open(const char* path);  // makes the FIFO; the container may read it from now on
  void feed(int master);        // copies the FIFO to a terminal instead
  void end();                   // no input any more
  void resize(unsigned columns, unsigned rows);
  void close();
  int poll_fd() const {
    if (fifo_ < 0 || master_ < 0) return -1;
    return blocked() ? master_ : fifo_;
  }
  bool blocked() const { return held_bytes_ > 0; }
  void pump();

 private:
  void pass_on();

  int fifo_ = -1;    // both ends: readers do not see an end while it is open
  int master_ = -1;  // not ours: closed with the container's output
  unsigned held_bytes_ = 0;
  char held_[256];
};

}  // namespace coracle::shim
