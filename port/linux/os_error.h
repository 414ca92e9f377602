// SPDX-License-Identifier: GPL-2.0-or-later
// errno to Error, and file descriptors that close themselves.
#pragma once

#include <string_view>
#include <utility>

#include "base/result.h"

namespace coracle::port_linux {

// ENOENT becomes kNotFound, EEXIST kAlreadyExists, everything else kIo. Thread-safe.
Error os_error(int errno_value, std::string_view what);

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

}  // namespace coracle::port_linux
