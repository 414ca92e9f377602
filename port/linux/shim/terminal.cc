// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/shim/terminal.h"

#include <asm/ioctls.h>
#include <linux/un.h>

#include "port/linux/shim/syscall.h"

namespace coracle::shim {
namespace {

constexpr int kStreamSocket = 1;          // SOCK_STREAM
constexpr int kSocketLevel = 1;           // SOL_SOCKET
constexpr int kRights = 1;                // SCM_RIGHTS
constexpr int kCloseOnExec = 0x40000000;  // MSG_CMSG_CLOEXEC
constexpr unsigned kFifo = 0010000;       // S_IFIFO

struct Message {  // struct msghdr
  void* name = nullptr;
  int name_bytes = 0;
  Vector* parts = nullptr;
  size_t part_count = 0;
  void* control = nullptr;
  size_t control_bytes = 0;
  unsigned flags = 0;
};

struct Control {  // struct cmsghdr and one descriptor
  size_t bytes = 0;
  int level = 0;
  int type = 0;
  int fd = -1;
};

struct WindowSize {  // struct winsize
  unsigned short rows;
  unsigned short columns;
  unsigned short unused[2];
};

void put_console(Writer& path, const char* id) {
  path.put("c/").put(id).put("/con");
}

}  // namespace

// The name in the address is relative to our working directory, which others reach by /proc.
int listen_console(const char* id, Writer& path) {
  Text<kSocketPathMax> own;
  put_console(own, id);
  path.put("/proc/").number(static_cast<uint64_t>(sys(__NR_getpid))).put("/cwd/");
  put_console(path, id);
  struct sockaddr_un address = {};
  address.sun_family = 1;  // AF_UNIX
  if (own.cut() || path.cut()) return -1;
  for (size_t i = 0; i < own.size(); i++)
    address.sun_path[i] = own.text()[i];
  sys_unlink(own.text());
  const int fd = static_cast<int>(sys(__NR_socket, 1, kStreamSocket | O_CLOEXEC | O_NONBLOCK, 0));
  if (fd < 0) return -1;
  if (sys(__NR_bind, fd, &address, sizeof address) == 0 && sys(__NR_listen, fd, 1) == 0) return fd;
  sys_close(fd);
  return -1;
}

int accept_console(int listening, const char* id) {
  if (listening < 0) return -1;
  Text<kSocketPathMax> own;
  put_console(own, id);
  sys_unlink(own.text());
  const int fd = static_cast<int>(sys(__NR_accept4, listening, 0L, 0L, O_CLOEXEC | O_NONBLOCK));
  sys_close(listening);
  if (fd < 0) return -1;
  char text[64];
  Vector part{text, sizeof text};
  Control control;
  Message message;
  message.parts = &part;
  message.part_count = 1;
  message.control = &control;
  message.control_bytes = sizeof control;
  const long got = sys(__NR_recvmsg, fd, &message, kCloseOnExec);
  sys_close(fd);
  if (got < 0 || control.level != kSocketLevel || control.type != kRights) return -1;
  sys(__NR_fcntl, control.fd, F_SETFL, O_RDWR | O_NONBLOCK);
  return control.fd;
}

void Input::open(const char* path) {
  sys(__NR_mknodat, AT_FDCWD, path, kFifo | 0600, 0L);
  fifo_ = sys_open(path, O_RDWR | O_NONBLOCK);
}

void Input::feed(int master) {
  master_ = master;
}

void Input::end() {
  if (master_ < 0) close();  // a terminal goes on without
}

void Input::resize(unsigned columns, unsigned rows) {
  const WindowSize size{
      static_cast<unsigned short>(rows), static_cast<unsigned short>(columns), {}};
  if (master_ >= 0) sys(__NR_ioctl, master_, static_cast<long>(TIOCSWINSZ), &size);
}

void Input::close() {
  if (fifo_ >= 0) sys_close(fifo_);
  fifo_ = master_ = -1;
  held_bytes_ = 0;
}

void Input::pump() {
  if (blocked()) return pass_on();
  const long got = sys_read(fifo_, held_, sizeof held_);
  if (got <= 0) return;
  held_bytes_ = static_cast<unsigned>(got);
  pass_on();
}

// What the terminal does not take now waits; nothing more is read meanwhile.
void Input::pass_on() {
  const long taken = sys_write(master_, held_, held_bytes_);
  if (taken == -EAGAIN || taken == -EINTR) return;
  const unsigned count = taken > 0 ? static_cast<unsigned>(taken) : held_bytes_;  // or it is gone
  for (unsigned i = count; i < held_bytes_; i++)
    held_[i - count] = held_[i];
  held_bytes_ -= count;
}

}  // namespace coracle::shim
