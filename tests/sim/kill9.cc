// SPDX-License-Identifier: GPL-2.0-or-later
// coracle_kill9 [--rounds N] [--seed N] [--directory D]: a real writer on the real disk is killed
// with SIGKILL at a random moment, again and again; the next one tells what it found. Nothing that
// was acknowledged may be missing, nothing may be there that was never proposed, and it must always
// start.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "port/linux/machine.h"
#include "port/sim/dice.h"
#include "store/store.h"

namespace coracle::sim {
namespace {

constexpr int kKeys = 16;

// --- the writer: raises the counters of some keys for ever and prints each acknowledgement

std::string counter_text(int key, uint64_t count) {
  return join({R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"k)",
               std::to_string(key), R"(","namespace":"n"},"data":{"filler":")",
               std::string(static_cast<size_t>(count * 37 % 900), 'x'), R"(","count":")",
               std::to_string(count), R"("}})"});
}

uint64_t count_in(std::string_view text) {
  const size_t at = text.rfind("\"count\":\"");
  if (at == std::string_view::npos) return 0;
  const std::string_view digits = text.substr(at + 9);
  return parse_unsigned(digits.substr(0, digits.find('"'))).value_or(0);
}

void say(const std::string& line) {
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) _exit(3);
}

std::string report(const char* what, int key, uint64_t count, uint64_t version) {
  char line[96];
  std::snprintf(line, sizeof line, "%s %d %" PRIu64 " %" PRIu64 "\n", what, key, count, version);
  return line;
}

class Counter : public store::Waiter {
 public:
  Counter(store::Store& store, int key) : store_(store), key_(key) {
    const api::ObjectRef object = store.get(api::kConfigMap, "n", name());
    if (!object) return;
    count_ = count_in(object->text());
    version_ = object->version();
    say(report("has", key_, count_, version_));
  }
  void raise() {
    say(report("try", key_, count_ + 1, 0));
    store_.propose({store::Operation::kPut, &api::kConfigMap, "n", name(),
                    counter_text(key_, count_ + 1), version_},
                   *this);
  }
  void on_outcome(Result<api::Change> outcome) override {
    if (!outcome) {
      say("error " + outcome.error().message + "\n");
      _exit(4);
    }
    count_++;
    version_ = outcome->version;
    say(report("ack", key_, count_, version_));
    raise();
  }

 private:
  std::string name() const { return "k" + std::to_string(key_); }
  store::Store& store_;
  int key_;
  uint64_t count_ = 0;
  uint64_t version_ = 0;
};

int write_for_ever(const std::string& directory) {
  port_linux::Machine machine;
  const auto log_lane = machine.lane("log");
  const auto state_lane = machine.lane("state");
  store::StoreOptions options{directory, 64 * 1024, 4};
  auto opened = store::open_store(options, machine.clock(), machine.disk(), *log_lane, *state_lane);
  if (!opened) {
    say("error " + opened.error().message + "\n");
    return 4;
  }
  std::vector<std::unique_ptr<Counter>> counters;
  for (int key = 0; key < kKeys; ++key)
    counters.push_back(std::make_unique<Counter>(**opened, key));
  say("ready\n");
  for (const auto& counter : counters)
    counter->raise();
  machine.run();
  return 0;
}

// --- the killer

struct Known {
  uint64_t acknowledged = 0;
  uint64_t tried = 0;
  uint64_t version = 0;
};

class Killer {
 public:
  Killer(std::string directory, uint64_t seed) : directory_(std::move(directory)), dice_(seed) {}

  bool round() {
    int ends[2];
    if (pipe(ends) != 0) return false;
    fcntl(ends[0], F_SETPIPE_SZ, 1024 * 1024);  // the writer must not wait for us
    const pid_t child = fork();
    if (child == 0) {
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      execl("/proc/self/exe", "coracle_kill9", "--writer", directory_.c_str(), nullptr);
      _exit(5);
    }
    close(ends[1]);
    usleep(static_cast<useconds_t>(dice_.between(500, 150'000)));
    kill(child, SIGKILL);
    const std::string heard = drain(ends[0]);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return judge(heard);
  }
  uint64_t started() const { return started_; }
  uint64_t acknowledged() const { return acknowledged_; }
  const std::string& failure() const { return failure_; }

 private:
  static std::string drain(int fd) {
    std::string heard;
    char buffer[65536];
    for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) {
      heard.append(buffer, static_cast<size_t>(got));
    }
    return heard;
  }

  bool judge(const std::string& heard) {
    std::map<int, bool> found;
    for (std::string_view line : split(heard, '\n')) {
      const std::vector<std::string_view> words = split(line, ' ');
      if (words[0] == "error") return complain(std::string(line));
      if (words[0] == "ready" && !all_found(found)) return false;
      if (words.size() != 4) continue;
      const int key = static_cast<int>(parse_unsigned(words[1]).value_or(0));
      const uint64_t count = parse_unsigned(words[2]).value_or(0);
      const uint64_t version = parse_unsigned(words[3]).value_or(0);
      if (words[0] == "has") found[key] = true;
      if (!hear(words[0], known_[key], count, version)) return complain(std::string(line));
    }
    return true;
  }

  bool hear(std::string_view what, Known& known, uint64_t count, uint64_t version) {
    if (what == "try") {
      known.tried = count;
      return true;
    }
    if (what == "has" && (count < known.acknowledged || count > known.tried)) return false;
    if (version < known.version) return false;
    known.acknowledged = count;
    known.version = version;
    acknowledged_ += what == "ack" ? 1 : 0;
    return true;
  }

  bool all_found(const std::map<int, bool>& found) {
    started_++;
    for (const auto& [key, known] : known_) {
      if (known.acknowledged > 0 && !found.contains(key)) {
        return complain("key " + std::to_string(key) + " is missing");
      }
    }
    return true;
  }

  bool complain(const std::string& what) {
    failure_ = what;
    return false;
  }

  std::string directory_;
  port_sim::Dice dice_;
  std::map<int, Known> known_;
  uint64_t started_ = 0;
  uint64_t acknowledged_ = 0;
  std::string failure_;
};

int kill_for(uint64_t rounds, uint64_t seed, const std::string& directory) {
  Killer killer(directory, seed);
  uint64_t done = 0;
  while (done < rounds && killer.round())
    done++;
  if (done < rounds)
    std::printf("FAILED in round %" PRIu64 ": %s\n", done + 1, killer.failure().c_str());
  std::printf("%" PRIu64 " kills, %" PRIu64 " of them after the start, %" PRIu64
              " acknowledged writes\n",
              done, killer.started(), killer.acknowledged());
  std::printf("%" PRIu64 " passed, %d failed\n", done, done < rounds ? 1 : 0);
  return done < rounds ? 1 : 0;
}

}  // namespace
}  // namespace coracle::sim

int main(int count, char** words) {
  using namespace coracle;
  uint64_t rounds = 1000;
  uint64_t seed = 1;
  std::string directory = "build/kill9." + std::to_string(getpid());
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view word = words[i];
    const uint64_t number = parse_unsigned(words[i + 1]).value_or(0);
    if (word == "--writer") {
      set_log_sink([](Level, std::string_view) {});
      return sim::write_for_ever(words[i + 1]);
    }
    if (word == "--rounds") rounds = number;
    if (word == "--seed") seed = number;
    if (word == "--directory") directory = words[i + 1];
  }
  const int result = sim::kill_for(rounds, seed, directory);
  if (result == 0) {
    port_linux::Machine machine;
    static_cast<void>(machine.disk().remove_tree(directory));
  }
  return result;
}
