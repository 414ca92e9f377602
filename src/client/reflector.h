// SPDX-License-Identifier: GPL-2.0-or-later
// Follows one list of objects by a watch that begins with the list itself (sendInitialEvents) and
// goes on from the last resourceVersion when it is cut off; 410 Expired begins anew.
#pragma once

#include <string>
#include <string_view>

#include "api/client.h"
#include "http/channel.h"

namespace coracle::client {

struct Selection {
  const api::Kind* kind = nullptr;
  std::string ns;    // empty: everywhere
  std::string name;  // empty: all
  std::string node;  // spec.nodeName; empty: any
  Duration every;    // > 0: not followed but read again after so long (one named object)
  bool covers(const api::Object& object) const {
    return &object.kind() == kind && (ns.empty() || object.ns() == ns) &&
           (name.empty() || object.name() == name);
  }
};

class Reflector;

class Reflected {
 public:
  virtual void on_list_begins(Reflector& from) = 0;
  virtual void on_object(Reflector& from, api::ObjectRef object) = 0;
  virtual void on_gone(Reflector& from, const api::Object& last) = 0;
  // What was not told since on_list_begins and is not newer than `version` is gone.
  virtual void on_list_complete(Reflector& from, uint64_t version) = 0;
  // The watch is over; run() it again at due().
  virtual void on_stopped(Reflector& from) = 0;

 protected:
  ~Reflected() = default;
};

class Reflector final : http::ClientEvents {
 public:
  Reflector(port::Clock& clock, Reflected& reflected, Selection selection)
      : clock_(clock),
        reflected_(reflected),
        selection_(std::move(selection)) {}
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  void run(http::Channel& channel);
  void forget(http::Channel& channel) { channel.forget(*this); }
  const Selection& selection() const { return selection_; }
  bool running() const { return running_; }
  Mono due() const { return due_; }
  bool complete() const { return complete_; }  // the list was seen whole at least once
  // Complete, or the server has said no: nothing better will come soon.
  bool answered() const { return complete_ || refused_; }
  uint64_t version() const { return version_; }

 private:
  void on_head(int status, const std::vector<http::Header>& headers) override;
  void on_body(std::string_view bytes) override;
  void on_end() override;
  void on_failed(std::string_view why) override { stop(why); }
  bool polled() const { return selection_.every.ns > 0; }
  void take_read();
  void take_line(std::string_view line);
  void take_event(std::string_view type, json::Node object);
  void take_bookmark(json::Node object);
  void take_error(json::Node status);
  void stop(std::string_view why);
  std::string query() const;

  port::Clock& clock_;
  Reflected& reflected_;
  const Selection selection_;
  std::string rest_;  // of a line not yet whole
  uint64_t version_ = 0;
  int status_ = 0;
  bool listing_ = false;
  bool running_ = false;
  bool complete_ = false;
  bool refused_ = false;
  bool bad_ = false;
  Mono began_;
  Mono due_;
  Duration pause_;
};

}  // namespace coracle::client
