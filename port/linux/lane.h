// SPDX-License-Identifier: GPL-2.0-or-later
// One worker thread with a queue. Besides the sandbox of pods these are the only threads of
// Coracle.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>

#include <pthread.h>

#include "port/disk.h"
#include "port/linux/loop.h"

namespace coracle::port_linux {

// Destroying it runs what was submitted and drops the rest of the calls to done().
class ThreadLane : public port::Lane {
 public:
  ThreadLane(Loop& loop, const std::string& name);
  ~ThreadLane() override;
  void submit(std::unique_ptr<port::Job> job) override;
  size_t waiting() const override { return waiting_; }
  void drain() override;

 private:
  static void* main(void* self) noexcept;
  static void on_async(uv_async_t* handle) noexcept {
    static_cast<ThreadLane*>(handle->data)->finish();
  }
  void work();
  void finish();  // done() of all jobs that ran

  UvHandle<uv_async_t> async_;
  size_t waiting_ = 0;  // of the loop thread alone
  pthread_t thread_{};

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;  // guards what follows
  pthread_cond_t changed_ = PTHREAD_COND_INITIALIZER;
  std::deque<std::unique_ptr<port::Job>> todo_;
  std::deque<std::unique_ptr<port::Job>> ran_;
  bool running_ = false;
  bool ending_ = false;
};

}  // namespace coracle::port_linux
