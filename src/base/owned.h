// SPDX-License-Identifier: GPL-2.0-or-later
// Owned<T, free>: a pointer-sized owner for a C handle. Every C handle is born inside one.
#pragma once

#include <memory>

namespace coracle {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

template <class T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;

}  // namespace coracle
