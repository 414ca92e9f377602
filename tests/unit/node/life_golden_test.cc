// SPDX-License-Identifier: GPL-2.0-or-later
// Replays tests/golden/node/*.txt. A block is lines, "----", and what they print, up to an empty
// line:
//   pod                the lines that follow are its YAML; a fresh record is made for it
//   at 12              the time in seconds
//   phase Running      of the record; also: gone, final, ip A.B.C.D
//   container web run=running attempt=1 ...
//   decide             prints the actions
//   status             prints the status as YAML
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "node/decide.h"
#include "node/record.h"
#include "node/status.h"

namespace coracle::node {
namespace {

class Script {
 public:
  std::string replay(const std::string& before) {
    std::string after;
    std::vector<std::string> input;
    bool in_output = false;
    for (const std::string_view line : split(before, '\n')) {
      if (in_output) {
        in_output = !line.empty();
        continue;
      }
      if (line == "----") {
        after += "----\n" + run(input) + "\n";
        input.clear();
        in_output = true;
        continue;
      }
      if (line.empty() && input.empty()) continue;
      after += std::string(line) + "\n";
      if (!line.starts_with('#')) input.emplace_back(line);
    }
    return after;
  }

 private:
  std::string run(const std::vector<std::string>& lines) {
    if (!lines.empty() && lines[0] == "pod") return take_pod(lines);
    std::string out;
    for (const std::string& line : lines)
      out += command(line);
    return out;
  }

  std::string take_pod(const std::vector<std::string>& lines) {
    std::string yaml;
    for (size_t i = 1; i < lines.size(); ++i)
      yaml += lines[i] + "\n";
    const Result<json::Node> parsed = tree_.parse_yaml(yaml);
    if (!parsed) return parsed.error().message + "\n";
    record_ = new_record(tree_.root(), wall());
    record_.started_mono = now_;
    return {};
  }

  std::string command(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    std::string rest;
    words >> verb >> rest;
    if (verb == "at")
      now_ = Mono{std::stoll(rest) * 1'000'000'000};
    else if (verb == "gone")
      record_.gone = true;
    else if (verb == "final")
      record_.final_stored = true;
    else if (verb == "ip")
      record_.ip = parse_ip4(rest);
    else if (verb == "phase")
      set_phase(rest);
    else if (verb == "container")
      set_container(rest, words);
    else if (verb == "decide")
      return print_decision();
    else if (verb == "status")
      return print_status();
    else
      return "unknown command: " + line + "\n";
    return {};
  }

  void set_phase(const std::string& name) {
    for (int i = 0; i <= static_cast<int>(Phase::kRemoved); ++i) {
      if (phase_name(static_cast<Phase>(i)) == name) record_.phase = static_cast<Phase>(i);
    }
  }

  void set_container(const std::string& name, std::istringstream& words) {
    ContainerState* state = record_.find(name);
    ASSERT_NE(state, nullptr) << name;
    std::string word;
    while (words >> word) {
      const size_t equal = std::min(word.find('='), word.size());
      const std::string key = word.substr(0, equal);
      const std::string value = word.substr(std::min(equal + 1, word.size()));
      const int64_t number = parse_signed(value).value_or(0);
      if (key == "run") {
        for (int i = 0; i <= static_cast<int>(RunState::kTerminated); ++i) {
          if (run_state_name(static_cast<RunState>(i)) == value)
            state->run = static_cast<RunState>(i);
        }
        if (state->run != RunState::kTerminated) state->ended.reset();
      }
      if (key == "image") state->image = value;
      if (key == "attempt") state->attempt = number;
      if (key == "reason") state->waiting_reason = value;
      if (key == "probed") state->start_probed = true;
      if (key == "ready") state->ready = true;
      if (key == "exit")
        state->ended = Termination{static_cast<int>(number),
                                   0,
                                   state->attempt,
                                   number == 0 ? "Completed" : "Error",
                                   "",
                                   wall(),
                                   wall()};
      if (key == "before")
        state->before = Termination{
            static_cast<int>(number), 0, state->attempt - 1, "Error", "", wall(), wall()};
      if (key == "wait") state->not_before = Mono{number * 1'000'000'000};
      if (key == "stopped") state->stopped_at = Mono{number * 1'000'000'000};
      if (key == "killed") state->killed = true;
    }
  }

  std::string print_decision() {
    const Decision decision = decide(tree_.root(), record_, now_);
    std::string out;
    for (const Action& action : decision.actions) {
      out += action_name(action.type);
      const bool of_container =
          action.type >= ActionType::kStart && action.type <= ActionType::kShowCrashLoop;
      if (of_container) out += " " + record_.containers[action.container].name;
      if (action.type == ActionType::kMove) out += " " + std::string(phase_name(action.phase));
      if (action.type == ActionType::kFail) out += " " + action.reason + ": " + action.message;
      out += "\n";
    }
    if (decision.again_at)
      out += "again at " + std::to_string(decision.again_at->ns / 1'000'000'000) + "s\n";
    return out.empty() ? "nothing\n" : out;
  }

  std::string print_status() {
    json::Tree tree;
    return json::write_yaml(make_status(tree, {tree_.root(), record_, wall(), "192.168.7.2"}));
  }

  Wall wall() const { return Wall{parse_rfc3339("2026-01-01T00:00:00Z")->ns + now_.ns}; }

  json::Tree tree_;
  PodRecord record_;
  Mono now_;
};

TEST(PodLifeGolden, DecidesAndShowsAsTheScriptsSay) {
  const bool rewrite = std::getenv("CORACLE_REWRITE") != nullptr;
  size_t scripts = 0;
  for (const auto& file : std::filesystem::directory_iterator("tests/golden/node")) {
    std::stringstream before;
    before << std::ifstream(file.path()).rdbuf();
    const std::string after = Script().replay(before.str());
    ++scripts;
    if (rewrite)
      std::ofstream(file.path()) << after;
    else
      EXPECT_EQ(before.str(), after) << file.path();
  }
  EXPECT_GE(scripts, 5u);
}

}  // namespace
}  // namespace coracle::node
