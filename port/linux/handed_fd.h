// SPDX-License-Identifier: GPL-2.0-or-later
// A local socket at which another program hands over one descriptor (SCM_RIGHTS): the terminal of a
// container's process, from crun.
#pragma once

#include <string>

#include "port/linux/loop.h"
#include "port/linux/os_error.h"

namespace coracle::port_linux {

class HandedFd {
 public:
  class Taker {
   public:
    virtual void on_fd(Fd fd) = 0;  // once; invalid if none came with the connection

   protected:
    ~Taker() = default;
  };
  HandedFd(Loop& loop, Taker& taker) : loop_(loop), taker_(taker) {}
  ~HandedFd();
  HandedFd(const HandedFd&) = delete;
  HandedFd& operator=(const HandedFd&) = delete;
  Result<> listen(const std::string& path);

 private:
  static void on_readable(uv_poll_t* poll, int, int) noexcept;
  Result<> watch(Fd fd);
  void readable();
  void receive();

  Loop& loop_;
  Taker& taker_;
  std::string path_;
  Fd fd_;
  UvHandle<uv_poll_t> poll_;
  bool connected_ = false;
};

}  // namespace coracle::port_linux
