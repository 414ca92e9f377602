// SPDX-License-Identifier: GPL-2.0-or-later
// How reactors (controllers, scheduler, proxy, node) see the cluster: State to read, Feed to be
// woken, Client to write. On a server all three are served in process from the applied state; an
// agent serves them over one connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/object.h"
#include "base/result.h"
#include "base/time.h"

namespace coracle::api {

struct Key {
  const Kind* kind = nullptr;
  std::string ns;
  std::string name;
  friend auto operator<=>(const Key&, const Key&) = default;
};

class Visitor {
 public:
  virtual bool visit(const ObjectRef& object) = 0;  // false: stop

 protected:
  ~Visitor() = default;
};

// Applied state. References stay valid as long as they are held; the state moves on underneath.
class State {
 public:
  virtual ObjectRef get(const Kind& kind, std::string_view ns, std::string_view name) const = 0;
  // In key order. Empty ns: all namespaces.
  virtual void list(const Kind& kind, std::string_view ns, Visitor& visitor) const = 0;
  // Objects of any kind whose metadata.ownerReferences name this uid.
  virtual void list_owned_by(std::string_view uid, Visitor& visitor) const = 0;
  virtual uint64_t version() const = 0;  // log index applied last

 protected:
  ~State() = default;
};

template <class F>
void for_each(const State& state, const Kind& kind, std::string_view ns, F&& f) {
  struct Each final : Visitor {
    explicit Each(F& g) : g_(g) {}
    bool visit(const ObjectRef& object) override {
      g_(object);
      return true;
    }
    F& g_;
  };
  Each each(f);
  state.list(kind, ns, each);
}

enum class ChangeType : uint8_t { kAdded, kModified, kDeleted };

// One applied log entry. Deleted: `after` is the last state carrying the version of the deletion.
struct Change {
  ChangeType type = ChangeType::kAdded;
  uint64_t version = 0;
  ObjectRef before;  // null when added
  ObjectRef after;
};

// Called for every change, in version order, once each, after it is visible in State.
class Feed {
 public:
  virtual void on_change(const Change& change) = 0;

 protected:
  ~Feed() = default;
};

enum class CallVerb : uint8_t {
  kCreate,
  kUpdate,
  kJsonPatch,
  kMergePatch,
  kStrategicMergePatch,
  kDelete
};
enum class Propagation : uint8_t { kDefault, kBackground, kForeground, kOrphan };

// One write through the API's pipeline (admission, defaults, validation), as the client's own user.
struct Call {
  CallVerb verb = CallVerb::kCreate;
  Key key;  // name empty: generateName of the body
  Subresource subresource = Subresource::kNone;
  std::string body;                      // JSON: the object or the patch
  uint64_t expected_version = 0;         // > 0: 409 Conflict unless the stored object has it
  std::string expected_uid;              // likewise
  std::optional<int64_t> grace_seconds;  // kDelete
  Propagation propagation = Propagation::kDefault;
};

class Caller {
 public:
  // `token` is the one given to submit. The object as stored (deleted: its last state).
  virtual void on_answer(uint64_t token, Result<ObjectRef> answer) = 0;

 protected:
  ~Caller() = default;
};

class Client {
 public:
  virtual const State& state() const = 0;
  virtual void subscribe(Feed& feed) = 0;
  virtual void unsubscribe(Feed& feed) = 0;
  // Never answers from inside the call.
  virtual void submit(Call call, Caller& caller, uint64_t token) = 0;
  virtual void forget(Caller& caller) = 0;  // before `caller` is destroyed: its answers are dropped

 protected:
  ~Client() = default;
};

// An Event that goes with a plan (core/v1 Event about one object).
struct Note {
  ObjectRef about;
  bool warning = false;
  std::string reason;
  std::string message;
  // Index of the call that it tells of: recorded when that one succeeded. Unset: when all have.
  std::optional<size_t> call = {};
};

// What a reactor wants done. Calls are submitted in order; if one fails the key is planned again
// after a back-off.
struct Plan {
  std::vector<Call> calls;
  std::vector<Note> notes;
  std::optional<Duration> again_after;  // look at the key again then, even if nothing changes
  // Recorded when a create or delete is refused, with the error's text behind its message.
  std::optional<Note> refused = {};
  // Calls go out 1, 2, 4, ... at a time, each round after the answers of the one before; a refusal
  // drops the rest, so that what can never succeed is not tried by the hundred.
  bool slow_start = false;

  bool empty() const { return calls.empty() && !again_after; }
  void add(Call call, Note note) {
    note.call = calls.size();
    calls.push_back(std::move(call));
    notes.push_back(std::move(note));
  }
};

}  // namespace coracle::api
