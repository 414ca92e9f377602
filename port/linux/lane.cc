// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/lane.h"

#include <utility>

#include <signal.h>

namespace coracle::port_linux {
namespace {

constexpr size_t kStackBytes = 512 * 1024;

class Lock {
 public:
  explicit Lock(pthread_mutex_t& mutex) : mutex_(mutex) { pthread_mutex_lock(&mutex_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t& mutex_;
};

}  // namespace

ThreadLane::ThreadLane(Loop& loop, const std::string& name) : async_(new uv_async_t) {
  ASSERT(uv_async_init(loop.uv(), async_.get(), on_async) == 0);
  async_->data = this;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals belong to the loop's thread
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  ASSERT(pthread_create(&thread_, &attributes, main, this) == 0);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_, name.substr(0, 15).c_str());
}

ThreadLane::~ThreadLane() {
  {
    Lock lock(mutex_);
    ending_ = true;
    pthread_cond_broadcast(&changed_);
  }
  pthread_join(thread_, nullptr);
  pthread_cond_destroy(&changed_);
  pthread_mutex_destroy(&mutex_);
}

void ThreadLane::submit(std::unique_ptr<port::Job> job) {
  waiting_++;
  Lock lock(mutex_);
  todo_.push_back(std::move(job));
  pthread_cond_broadcast(&changed_);
}

void ThreadLane::drain() {
  while (waiting_ > 0) {
    {
      Lock lock(mutex_);
      while (!todo_.empty() || running_)
        pthread_cond_wait(&changed_, &mutex_);
    }
    finish();
  }
}

void* ThreadLane::main(void* self) noexcept {
  static_cast<ThreadLane*>(self)->work();
  return nullptr;
}

void ThreadLane::work() {
  Lock lock(mutex_);
  for (;;) {
    while (todo_.empty() && !ending_)
      pthread_cond_wait(&changed_, &mutex_);
    if (todo_.empty()) return;
    std::unique_ptr<port::Job> job = std::move(todo_.front());
    todo_.pop_front();
    running_ = true;
    pthread_mutex_unlock(&mutex_);
    job->run();
    pthread_mutex_lock(&mutex_);
    running_ = false;
    ran_.push_back(std::move(job));
    pthread_cond_broadcast(&changed_);
    if (!ending_) uv_async_send(async_.get());
  }
}

// One job at a time leaves the queue: done() may drain the lane itself or submit more.
void ThreadLane::finish() {
  for (;;) {
    std::unique_ptr<port::Job> job;
    {
      Lock lock(mutex_);
      if (ran_.empty()) return;
      job = std::move(ran_.front());
      ran_.pop_front();
    }
    waiting_--;
    job->done();
  }
}

}  // namespace coracle::port_linux
