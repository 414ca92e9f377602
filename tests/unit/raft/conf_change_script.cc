// SPDX-License-Identifier: GPL-2.0-or-later
// Commands "simple", "enter-joint [autoleave=true]" and "leave-joint"; input: v1 (voter), l1
// (learner), r1 (remove), u1 (update).
#include "base/bytes.h"
#include "raft/changer.h"
#include "tests/unit/raft/interpreters.h"

namespace coracle::raft {

namespace {

class ConfChangeInterpreter final : public Interpreter {
 public:
  std::string run(const Command& command) override {
    Changer changer(membership_, {.messages_max = 10, .bytes_max = 0}, last_index_++);
    std::vector<Change> changes = parse(command.input);
    Result<Membership> next = changed(changer, command, changes);
    if (!next) return next.error().message;
    membership_ = *next;
    std::string text = membership_.config.text() + "\n";
    for (const auto& [id, progress] : membership_.progress) {
      text += std::to_string(id) + ": " + progress.text() + "\n";
    }
    return text;
  }

 private:
  static Result<Membership> changed(const Changer& changer,
                                    const Command& command,
                                    const std::vector<Change>& changes) {
    if (command.name == "simple") return changer.simple(changes);
    if (command.name == "leave-joint") return changer.leave_joint();
    bool auto_leave = !command.arguments.empty() && command.arguments[0].values[0] == "true";
    return changer.enter_joint(auto_leave, changes);
  }

  static std::vector<Change> parse(std::string_view input) {
    std::vector<Change> changes;
    for (std::string_view word : split(trim(input), ' ')) {
      if (word.size() < 2) continue;
      Change change{Change::Type::kAddVoter, parse_unsigned(word.substr(1)).value_or(kNobody)};
      if (word[0] == 'l') change.type = Change::Type::kAddLearner;
      if (word[0] == 'r') change.type = Change::Type::kRemove;
      if (word[0] == 'u') change.type = Change::Type::kUpdate;
      changes.push_back(change);
    }
    return changes;
  }

  Membership membership_;
  Index last_index_ = 0;
};

}  // namespace

std::unique_ptr<Interpreter> conf_change_interpreter() {
  return std::make_unique<ConfChangeInterpreter>();
}

}  // namespace coracle::raft
