// SPDX-License-Identifier: GPL-2.0-or-later
// Commands "committed" and "vote": cfg=(voters) cfgj=(outgoing voters) idx=(...) or votes=(...), in
// the order in which the voters first appear; _ stands for no answer.
#include <algorithm>

#include "base/bytes.h"
#include "raft/quorum.h"
#include "tests/unit/raft/interpreters.h"

namespace coracle::raft {

namespace {

class Answers final : public Acknowledged {
 public:
  std::optional<Index> by(NodeId voter) const override {
    auto at = answers.find(voter);
    if (at == answers.end()) return std::nullopt;
    return at->second;
  }
  std::map<NodeId, Index> answers;
};

std::string index_text(Index index) {
  return index == kUnlimited ? "∞" : std::to_string(index);
}

// A bar per voter, as long as the number of voters that are behind it.
std::string describe(const NodeSet& voters, const Answers& answers) {
  if (voters.empty()) return "<empty majority quorum>";
  std::string text = std::string(voters.size(), ' ') + "    idx\n";
  for (NodeId id : voters) {
    std::optional<Index> index = answers.by(id);
    size_t behind = 0;
    for (NodeId other : voters)
      behind += answers.by(other).value_or(0) < index.value_or(0) ? 1 : 0;
    text += index ? std::string(behind, 'x') + ">" + std::string(voters.size() - behind, ' ')
                  : "?" + std::string(voters.size(), ' ');
    std::string number = std::to_string(index.value_or(0));
    if (number.size() < 5) number.insert(0, 5 - number.size(), ' ');
    text += " " + number + "    (id=" + std::to_string(id) + ")\n";
  }
  return text;
}

struct Question {
  std::vector<NodeId> order;
  Voters voters;
  bool joint = false;
  std::vector<std::string> values;
};

Question parse(const Command& command) {
  Question question;
  for (const Argument& argument : command.arguments) {
    if (argument.key == "idx" || argument.key == "votes") question.values = argument.values;
    if (argument.key == "cfgj") question.joint = true;
    if (argument.key != "cfg" && argument.key != "cfgj") continue;
    for (const std::string& value : argument.values) {
      if (value == "zero") continue;
      NodeId id = parse_unsigned(value).value_or(kNobody);
      (argument.key == "cfg" ? question.voters.incoming : question.voters.outgoing).insert(id);
      if (std::find(question.order.begin(), question.order.end(), id) == question.order.end()) {
        question.order.push_back(id);
      }
    }
  }
  return question;
}

// Lowering an answer that is already below the committed index must not change it.
std::string lowered(const Question& question, const Answers& answers, Index committed) {
  for (NodeId id : question.voters.incoming) {
    Index own = answers.by(id).value_or(0);
    if (own == 0 || own >= committed) continue;
    Answers lower = answers;
    lower.answers[id] = own - 1;
    if (committed_index(question.voters.incoming, lower) != committed)
      return "changed by lowering\n";
    lower.answers.erase(id);
    if (committed_index(question.voters.incoming, lower) != committed)
      return "changed by silence\n";
  }
  return {};
}

std::string committed(const Question& question) {
  Answers answers;
  for (size_t i = 0; i < question.values.size(); i++) {
    if (auto index = parse_unsigned(question.values[i]))
      answers.answers[question.order[i]] = *index;
  }
  const Voters& voters = question.voters;
  std::string text;
  Index index = committed_index(voters, answers);
  if (question.joint) {
    text = describe(voters.all(), answers);
    if (committed_index(Voters{voters.outgoing, voters.incoming}, answers) != index) {
      text += "not symmetric\n";
    }
  } else {
    text = describe(voters.incoming, answers) + lowered(question, answers, index);
    if (committed_index(voters.incoming, answers) != index) text += "not neutral\n";
    if (committed_index(Voters{voters.incoming, voters.incoming}, answers) != index) {
      text += "not idempotent\n";
    }
  }
  return text + index_text(index);
}

std::string vote(const Question& question) {
  static constexpr const char* kNames[] = {"VotePending", "VoteLost", "VoteWon"};
  Votes votes;
  for (size_t i = 0; i < question.values.size(); i++) {
    if (question.values[i] != "_") votes[question.order[i]] = question.values[i] == "y";
  }
  Vote result = vote_result(question.voters, votes);
  std::string text;
  if (vote_result(Voters{question.voters.outgoing, question.voters.incoming}, votes) != result) {
    text = "not symmetric\n";
  }
  return text + kNames[static_cast<size_t>(result)];
}

class QuorumInterpreter final : public Interpreter {
 public:
  std::string run(const Command& command) override {
    Question question = parse(command);
    if (question.order.size() != question.values.size()) return mismatched(command, question);
    return command.name == "vote" ? vote(question) : committed(question);
  }

 private:
  static std::string mismatched(const Command& command, const Question& question) {
    std::string text = "error: mismatched input (explicit or _) for voters ";
    text += question.voters.all().text() + ": [";
    for (const std::string& value : question.values) {
      if (text.back() != '[') text += ' ';
      if (command.name == "vote")
        text += value == "y" ? "2" : value == "n" ? "1" : "0";
      else
        text += value == "_" ? "0" : value;
    }
    return text + "]";
  }
};

}  // namespace

std::unique_ptr<Interpreter> quorum_interpreter() {
  return std::make_unique<QuorumInterpreter>();
}

}  // namespace coracle::raft
