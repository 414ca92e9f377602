// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/event_recorder.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "json/writer.h"

namespace coracle::api {
namespace {

constexpr size_t kRememberedMax =
    256;  // events and objects; the ones used least recently are forgotten
constexpr size_t kMessageMax = 1024;  // bytes
constexpr size_t kNameBaseMax = 253 - 17;
constexpr int64_t kBurst = 25;
constexpr Duration kRefill = minutes(5);  // one more event an object

std::string_view cut(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80)
    most--;
  return text.substr(0, most);
}

// What was said about an object, once or more often.
struct Remembered {
  std::string identity;  // equal for equal events
  uint64_t token = 0;    // of the call under way
  uint64_t used = 0;
  Key key;             // of the Event object
  std::string create;  // its JSON up to the fields that change
  int64_t count = 0;
  Wall first;
  Wall last;
  bool stored = false;
  bool busy = false;   // a call is under way
  bool stale = false;  // counted up since that call
};

// How many events an object may still cause, as time: each costs kRefill.
struct Allowance {
  std::string uid;
  uint64_t used = 0;
  Duration saved;
  Mono since;
};

// Their order says nothing.
template <class T>
void forget(std::vector<T>& all, T& one) {
  if (&one != &all.back()) one = std::move(all.back());
  all.pop_back();
}

template <class T>
T* least_used(std::vector<T>& all, bool (*may_go)(const T&)) {
  T* found = nullptr;
  for (T& each : all) {
    if (may_go(each) && (found == nullptr || each.used < found->used)) found = &each;
  }
  return found;
}

}  // namespace

class EventRecorder::State {
 public:
  State(Client& to, port::Clock& with, port::Random& from, EventSource named, Caller& by)
      : client(to),
        clock(with),
        random(from),
        source(std::move(named)),
        caller(by) {}

  void record(const Object& about,
              std::string_view type,
              std::string_view reason,
              std::string_view message,
              std::string_view field_path) {
    message = cut(message, kMessageMax);
    const std::string identity =
        join({about.uid(), "\n", type, "\n", reason, "\n", field_path, "\n", message});
    if (!allows(about.uid())) return;
    Remembered* event = find(identity);
    if (event == nullptr)
      event = make(about, identity, describe(about, type, reason, message, field_path));
    if (event == nullptr) return;
    event->used = ++turn_;
    event->count++;
    event->last = clock.wall();
    event->stale = true;
    send(*event);
  }

  void on_answer(uint64_t token, const Result<ObjectRef>& answer) {
    const auto event =
        std::find_if(remembered_.begin(), remembered_.end(),
                     [&](const Remembered& each) { return each.busy && each.token == token; });
    if (event == remembered_.end()) return;
    event->busy = false;
    if (answer) {
      event->stored = true;
    } else if (event->stored && answer.error().code == Code::kNotFound) {
      // Expired since: say it again under a new name.
      event->stored = false;
      event->stale = true;
      event->key.name = name_of(event->key.name.substr(0, event->key.name.rfind('.')));
    } else {
      LOG(kDebug, "api: event dropped", kv("event", event->key.name),
          kv("error", answer.error().message));
      forget(remembered_, *event);
      return;
    }
    send(*event);
  }

  Client& client;
  port::Clock& clock;
  port::Random& random;
  EventSource source;
  Caller& caller;

 private:
  bool allows(std::string_view uid) {
    auto allowance = std::find_if(allowances_.begin(), allowances_.end(),
                                  [&](const Allowance& each) { return each.uid == uid; });
    const Mono now = clock.now();
    if (allowance == allowances_.end()) {
      if (allowances_.size() >= kRememberedMax) {
        Allowance* oldest =
            least_used<Allowance>(allowances_, [](const Allowance&) { return true; });
        forget(allowances_, *oldest);
      }
      allowances_.push_back({std::string(uid), 0, kRefill * kBurst, now});
      allowance = allowances_.end() - 1;
    }
    allowance->used = ++turn_;
    allowance->saved = std::min(allowance->saved + (now - allowance->since), kRefill * kBurst);
    allowance->since = now;
    if (allowance->saved < kRefill) return false;
    allowance->saved = allowance->saved - kRefill;
    return true;
  }

  Remembered* find(std::string_view identity) {
    for (Remembered& each : remembered_) {
      if (each.identity == identity) return &each;
    }
    return nullptr;
  }

  // Null if every remembered event waits for an answer: then there is more to say than the server
  // takes.
  Remembered* make(const Object& about, const std::string& identity, std::string create) {
    if (remembered_.size() >= kRememberedMax) {
      Remembered* oldest =
          least_used<Remembered>(remembered_, [](const Remembered& each) { return !each.busy; });
      if (oldest == nullptr) return nullptr;
      forget(remembered_, *oldest);
    }
    Remembered event;
    event.identity = identity;
    event.create = std::move(create);
    event.key.kind = &kEvent;
    event.key.ns = about.ns().empty() ? "default" : about.ns();
    event.key.name = name_of(about.name());
    event.first = clock.wall();
    remembered_.push_back(std::move(event));
    return &remembered_.back();
  }

  // Names sort as events happened, as client-go's do: lists and `kubectl describe` rely on it. The
  // lowest bits tell recorders apart that speak of one object at one moment.
  std::string name_of(std::string_view object_name) {
    constexpr uint64_t kLowBits = 0x3ff;
    const auto now = static_cast<uint64_t>(std::max(clock.wall().ns, int64_t{0}));
    stamp_ = std::max(stamp_ + kLowBits + 1, now) & ~kLowBits;
    const uint64_t mark = stamp_ | (random.next() & kLowBits);
    std::string suffix;
    for (int shift = 56; shift >= 0; shift -= 8)
      suffix += static_cast<char>(mark >> shift & 0xff);
    std::string_view base = object_name.substr(0, kNameBaseMax);
    while (base.ends_with('.') || base.ends_with('-'))
      base.remove_suffix(1);
    return join({base, ".", hex(suffix)});
  }

  // The members that stay as they are, without the closing brace.
  std::string describe(const Object& about,
                       std::string_view type,
                       std::string_view reason,
                       std::string_view message,
                       std::string_view field_path) const {
    std::string text;
    json::Writer out(text);
    out.begin_object();
    out.key("involvedObject");
    out.begin_object();
    out.member("kind", about.kind().name);
    if (!about.ns().empty()) out.member("namespace", about.ns());
    out.member("name", about.name());
    out.member("uid", about.uid());
    out.member("apiVersion", group_version(about.kind()));
    out.member("resourceVersion", std::to_string(about.version()));
    if (!field_path.empty()) out.member("fieldPath", field_path);
    out.end_object();
    out.member("type", type);
    out.member("reason", reason);
    out.member("message", message);
    out.key("source");
    out.begin_object();
    out.member("component", source.component);
    if (!source.host.empty()) out.member("host", source.host);
    out.end_object();
    out.member("reportingComponent", source.component);
    out.member("reportingInstance", source.host);
    return text;
  }

  std::string creation(const Remembered& event) const {
    std::string text = event.create;
    text += R"(,"kind":"Event","apiVersion":"v1","metadata":)";
    json::Writer metadata(text);
    metadata.begin_object();
    metadata.member("name", event.key.name);
    metadata.member("namespace", event.key.ns);
    metadata.end_object();
    text += join({R"(,"firstTimestamp":")", rfc3339(event.first), R"(","lastTimestamp":")",
                  rfc3339(event.last), R"(","count":)", std::to_string(event.count), "}"});
    return text;
  }

  void send(Remembered& event) {
    if (event.busy || !event.stale) return;
    event.busy = true;
    event.stale = false;
    event.token = ++tokens_;
    Call call;
    call.key = event.key;
    if (event.stored) {
      call.verb = CallVerb::kMergePatch;
      call.body = join({R"({"count":)", std::to_string(event.count), R"(,"lastTimestamp":")",
                        rfc3339(event.last), "\"}"});
    } else {
      call.verb = CallVerb::kCreate;
      call.body = creation(event);
    }
    client.submit(std::move(call), caller, event.token);
  }

  std::vector<Remembered> remembered_;
  std::vector<Allowance> allowances_;
  uint64_t turn_ = 0;
  uint64_t tokens_ = 0;
  uint64_t stamp_ = 0;  // of the youngest name
};

EventRecorder::EventRecorder(Client& client,
                             port::Clock& clock,
                             port::Random& random,
                             EventSource source)
    : state_(std::make_unique<State>(
          client, clock, random, std::move(source), static_cast<Caller&>(*this))) {}

EventRecorder::~EventRecorder() {
  state_->client.forget(*this);
}

void EventRecorder::normal(const Object& about,
                           std::string_view reason,
                           std::string_view message,
                           std::string_view field_path) {
  state_->record(about, "Normal", reason, message, field_path);
}

void EventRecorder::warning(const Object& about,
                            std::string_view reason,
                            std::string_view message,
                            std::string_view field_path) {
  state_->record(about, "Warning", reason, message, field_path);
}

void EventRecorder::on_answer(uint64_t token, Result<ObjectRef> answer) {
  state_->on_answer(token, answer);
}

}  // namespace coracle::api
