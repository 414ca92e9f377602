// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/raft/interaction.h"

#include <algorithm>
#include <cctype>

#include "base/bytes.h"

namespace coracle::raft {

namespace {

// Lanes lose nothing, so neither does a script.
bool stays_inside(const Message& message) {
  return message.from == message.to || is_lane(message.from) || is_lane(message.to);
}

std::vector<uint64_t> numbers(const Argument& argument) {
  std::vector<uint64_t> values;
  for (const std::string& value : argument.values) {
    values.push_back(parse_unsigned(value).value_or(0));
  }
  return values;
}

std::vector<Change> parse_changes(std::string_view text) {
  std::vector<Change> changes;
  for (std::string_view word : split(trim(text), ' ')) {
    if (word.size() < 2) continue;
    size_t type = std::string_view("vrul").find(word[0]);
    changes.push_back(
        {static_cast<Change::Type>(type), parse_unsigned(word.substr(1)).value_or(0)});
  }
  return changes;
}

Input message_input(Message message) {
  Input input{.kind = stays_inside(message) ? Input::Kind::kResponse : Input::Kind::kMessage};
  input.message = std::move(message);
  return input;
}

}  // namespace

void Output::note(const Note& note) {
  static constexpr const char* kLevels[] = {"DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
  Line line = describe(note);
  if (level <= line.level) write(std::string(kLevels[line.level]) + " " + line.text + "\n");
}

void Output::write(std::string_view more) {
  if (!quiet()) text += more;
}

std::string Output::indent(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    out += "  " + std::string(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

const Interaction::Verb Interaction::kVerbs[] = {
    {"add-nodes", &Interaction::add_nodes},
    {"campaign", &Interaction::campaign},
    {"compact", &Interaction::compact},
    {"crash", &Interaction::crash},
    {"deliver-msgs", &Interaction::deliver},
    {"forget-leader", &Interaction::forget_leader},
    {"log-level", &Interaction::log_level},
    {"process-append-thread", &Interaction::process_append},
    {"process-apply-thread", &Interaction::process_apply},
    {"process-ready", &Interaction::process_ready},
    {"propose", &Interaction::propose},
    {"propose-conf-change", &Interaction::propose_change},
    {"raft-log", &Interaction::raft_log},
    {"raft-state", &Interaction::raft_state},
    {"read", &Interaction::read},
    {"report-unreachable", &Interaction::report_unreachable},
    {"send-snapshot", &Interaction::send_snapshot},
    {"set-randomized-election-timeout", &Interaction::set_timeout},
    {"stabilize", &Interaction::stabilize},
    {"status", &Interaction::status},
    {"tick-election", &Interaction::tick_election},
    {"tick-heartbeat", &Interaction::tick_heartbeat},
    {"transfer-leadership", &Interaction::transfer},
};

std::string Interaction::run(const Command& command) {
  output_.text.clear();
  Result<> handled = handle(command);
  bool changes = command.name == "propose-conf-change";
  for (std::string_view line : split(changes ? "" : command.input, '\n')) {
    if (!handled || trim(line).empty()) continue;
    handled = handle(parse_command(line));
  }
  if (!handled && output_.quiet()) return handled.error().message;
  if (!handled) output_.write(handled.error().message);
  return output_.text.empty() ? "ok" : output_.text;
}

Result<> Interaction::handle(const Command& command) {
  for (const Verb& verb : kVerbs) {
    if (verb.name == command.name) return (this->*verb.handler)(command);
  }
  return fail(Code::kBadRequest, "unknown command");
}

std::vector<Interaction::Member*> Interaction::members(const Command& command) {
  std::vector<Member*> some;
  for (const Argument& argument : command.arguments) {
    if (!argument.values.empty()) continue;
    size_t id = parse_unsigned(argument.key).value_or(0);
    ASSERT(id >= 1 && id <= members_.size());
    some.push_back(members_[id - 1].get());
  }
  return some;
}

Interaction::Member& Interaction::first(const Command& command) {
  size_t id = parse_unsigned(command.arguments.front().key).value_or(0);
  ASSERT(id >= 1 && id <= members_.size());
  return *members_[id - 1];
}

Result<> Interaction::add_nodes(const Command& command) {
  Options options{.election_ticks = 3, .heartbeat_ticks = 1, .window = {.messages_max = INT32_MAX}};
  Snapshot snapshot;
  for (const Argument& argument : command.arguments) {
    if (argument.values.empty()) continue;
    std::vector<uint64_t> values = numbers(argument);
    bool yes = argument.values[0] == "true";
    if (argument.key == "voters") snapshot.conf_state.voters = values;
    if (argument.key == "learners") snapshot.conf_state.learners = values;
    if (argument.key == "inflight") options.window.messages_max = values[0];
    if (argument.key == "index") snapshot.index = options.applied = values[0];
    if (argument.key == "content") snapshot.data = Payload(argument.values[0]);
    if (argument.key == "max-size-per-msg") options.message_bytes_max = values[0];
    if (argument.key == "async-storage-writes") options.async_storage = yes;
    if (argument.key == "prevote") options.pre_vote = yes;
    if (argument.key == "checkquorum") options.check_quorum = yes;
    if (argument.key == "max-committed-size-per-ready") options.applying_bytes_max = values[0];
    if (argument.key == "disable-conf-change-validation") options.validate_changes = !yes;
    if (argument.key == "step-down-on-removal") options.step_down_on_removal = yes;
    if (argument.key == "read-only" && argument.values[0] == "lease-based") {
      options.reads = Reads::kLease;
    }
  }
  if (!snapshot.empty()) snapshot.term = 1;
  uint64_t count = parse_unsigned(command.arguments.front().key).value_or(0);
  for (uint64_t i = 0; i < count; i++)
    TRY(add_member(options, snapshot));
  return {};
}

Result<> Interaction::add_member(Options options, Snapshot snapshot) {
  auto member = std::make_unique<Member>();
  options.id = members_.size() + 1;
  member->options = options;
  if (!snapshot.empty()) member->storage.apply(snapshot);
  member->core = TRY(Core::open(options, member->storage, &output_));
  member->history.push_back(std::move(snapshot));
  members_.push_back(std::move(member));
  return {};
}

Result<> Interaction::campaign(const Command& command) {
  return first(command).core->give({.kind = Input::Kind::kCampaign});
}

Result<> Interaction::compact(const Command& command) {
  first(command).storage.compact(parse_unsigned(command.arguments[1].key).value_or(0));
  return raft_log(command);
}

Result<> Interaction::deliver(const Command& command) {
  std::optional<MessageType> type;
  std::vector<Recipient> recipients;
  for (const Argument& argument : command.arguments) {
    if (argument.key == "type") type = parse_type(argument.values[0]);
    if (argument.values.empty()) {
      recipients.push_back({parse_unsigned(argument.key).value_or(0), false});
    }
    if (argument.key != "drop") continue;
    for (uint64_t id : numbers(argument))
      recipients.push_back({id, true});
  }
  bool any = false;
  for (const Recipient& recipient : recipients)
    any = deliver_to(recipient, type) || any;
  if (!any) output_.write("no messages\n");
  return {};
}

bool Interaction::deliver_to(Recipient recipient, std::optional<MessageType> type) {
  auto meant = [&](const Message& message) {
    return message.to == recipient.id && !(recipient.drop && stays_inside(message)) &&
           (!type || message.type == *type);
  };
  std::vector<Message> chosen;
  std::vector<Message> rest;
  for (Message& message : messages_) {
    (meant(message) ? chosen : rest).push_back(std::move(message));
  }
  messages_ = std::move(rest);
  for (Message& message : chosen) {
    output_.write((recipient.drop ? "dropped: " : "") + describe(message) + "\n");
    if (recipient.drop) continue;
    ASSERT(message.to <= members_.size());
    Core& to = *members_[message.to - 1]->core;
    Result<> stepped = to.give(message_input(std::move(message)));
    if (!stepped) output_.write(stepped.error().message + "\n");
  }
  return !chosen.empty();
}

Result<> Interaction::each(const Command& command,
                           const char* title,
                           void (Interaction::*work)(Member&)) {
  std::vector<Member*> some = members(command);
  for (Member* member : some) {
    if (some.size() == 1) {
      (this->*work)(*member);
      continue;
    }
    output_.write("> " + std::to_string(member->options.id) + " " + title + "\n");
    output_.indented([&] { (this->*work)(*member); });
  }
  return {};
}

Result<> Interaction::process_ready(const Command& command) {
  return each(command, "handling Ready", &Interaction::ready);
}

Result<> Interaction::process_append(const Command& command) {
  return each(command, "processing append thread", &Interaction::append_lane);
}

Result<> Interaction::process_apply(const Command& command) {
  return each(command, "processing apply thread", &Interaction::apply_lane);
}

void Interaction::ready(Member& member) {
  Effects effects = member.core->take_effects();
  output_.write(describe(effects));
  bool async = member.options.async_storage;
  if (!async) {
    append(member, effects.hard, effects.entries, effects.snapshot);
    apply(member, effects.committed);
  }
  for (Message& message : effects.messages) {
    if (message.to == kAppendLane)
      member.append_work.push_back(std::move(message));
    else if (message.to == kApplyLane)
      member.apply_work.push_back(std::move(message));
    else
      messages_.push_back(std::move(message));
  }
  if (!async) member.core->advance();
}

void Interaction::append(Member& member,
                         const HardState& hard,
                         std::span<const Entry> entries,
                         const Snapshot& snapshot) {
  if (!hard.empty()) member.storage.set_hard_state(hard);
  if (!snapshot.empty()) {
    ASSERT(entries.empty());
    member.storage.apply(snapshot);
    return;
  }
  member.storage.append(entries);
}

void Interaction::append_lane(Member& member) {
  if (member.append_work.empty()) return output_.write("no append work to perform");
  Message message = std::move(member.append_work.front());
  member.append_work.erase(member.append_work.begin());
  append(member, {message.term, message.vote, message.commit}, message.entries, message.snapshot);
  finish(std::move(message));
}

void Interaction::apply_lane(Member& member) {
  if (member.apply_work.empty()) return output_.write("no apply work to perform");
  Message message = std::move(member.apply_work.front());
  member.apply_work.erase(member.apply_work.begin());
  // Described first: applying a change has lines of its own.
  std::vector<Message> responses = std::exchange(message.responses, {});
  output_.write("Processing:\n" + describe(message) + "\n");
  apply(member, message.entries);
  message.responses = std::move(responses);
  output_.write("Responses:\n");
  for (Message& response : message.responses) {
    output_.write(describe(response) + "\n");
    messages_.push_back(std::move(response));
  }
}

void Interaction::finish(Message message) {
  std::vector<Message> responses = std::exchange(message.responses, {});
  output_.write("Processing:\n" + describe(message) + "\nResponses:\n");
  for (Message& response : responses) {
    output_.write(describe(response) + "\n");
    messages_.push_back(std::move(response));
  }
}

void Interaction::apply(Member& member, std::span<const Entry> entries) {
  for (const Entry& entry : entries) {
    Snapshot next = member.history.back();
    std::string update(entry.data.view());
    if (entry.type != EntryType::kNormal) {
      Result<ConfChange> change = decode_conf_change(entry.data.view());
      ASSERT(change);
      update = change->context;
      Result<ConfState> state = member.core->apply(*change);
      if (state)
        next.conf_state = std::move(*state);
      else
        output_.write(state.error().message + "\n");
    }
    next.data = Payload(std::string(next.data.view()) + update);
    next.index = entry.index;
    next.term = entry.term;
    member.storage.serve(next);
    member.storage.set_conf_state(next.conf_state);
    member.history.push_back(std::move(next));
  }
}

Result<> Interaction::log_level(const Command& command) {
  static constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error", "fatal", "none"};
  std::string name = command.arguments.front().key;
  for (char& c : name)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (size_t i = 0; i < std::size(kLevels); i++) {
    if (kLevels[i] != name) continue;
    output_.level = static_cast<int>(i);
    return {};
  }
  return fail(Code::kBadRequest, "log levels must be one of debug, info, warn, error, fatal, none");
}

Result<> Interaction::raft_log(const Command& command) {
  const MemoryStorage& storage = first(command).storage;
  Index low = storage.first_index();
  Index high = storage.last_index();
  if (high < low) {
    output_.write("log is empty: first index=" + std::to_string(low) +
                  ", last index=" + std::to_string(high));
    return {};
  }
  output_.write(describe(TRY(storage.entries(low, high + 1, kUnlimited))));
  return {};
}

Result<> Interaction::raft_state(const Command&) {
  for (const auto& member : members_) {
    const Machine& machine = member->core->machine();
    bool voter = machine.tracker().config.voters.has(machine.id());
    output_.write(std::to_string(machine.id()) + ": " + role_text(machine.role()) +
                  (voter ? " (Voter)" : " (Non-Voter)") +
                  " Term:" + std::to_string(machine.term()) +
                  " Lead:" + std::to_string(machine.leader()) + "\n");
  }
  return {};
}

Result<> Interaction::set_timeout(const Command& command) {
  for (const Argument& argument : command.arguments) {
    if (argument.key != "timeout") continue;
    first(command).core->set_election_timeout(static_cast<uint32_t>(numbers(argument)[0]));
  }
  return {};
}

Result<> Interaction::stabilize(const Command& command) {
  int level = output_.level;
  for (const Argument& argument : command.arguments) {
    if (argument.key != "log-level") continue;
    Command inner;
    inner.arguments.push_back({argument.values[0], {}});
    TRY(log_level(inner));
  }
  std::vector<Member*> some = members(command);
  if (some.empty()) {
    for (const auto& member : members_)
      some.push_back(member.get());
  }
  int rounds = 0;
  while (stabilize_once(some))
    ASSERT(++rounds < 10'000);
  output_.level = level;
  return {};
}

bool Interaction::stabilize_once(const std::vector<Member*>& some) {
  bool worked = false;
  auto work = [&](Member& member, const char* title, auto step) {
    output_.write("> " + std::to_string(member.options.id) + " " + title + "\n");
    output_.indented(step);
    worked = true;
  };
  for (Member* member : some) {
    if (!member->core->has_effects()) continue;
    work(*member, "handling Ready", [&] { ready(*member); });
  }
  for (Member* member : some) {
    NodeId id = member->options.id;
    bool waiting = std::any_of(messages_.begin(), messages_.end(),
                               [id](const Message& message) { return message.to == id; });
    if (!waiting) continue;
    work(*member, "receiving messages", [&] { deliver_to({id, false}, std::nullopt); });
  }
  for (Member* member : some) {
    if (member->append_work.empty()) continue;
    work(*member, "processing append thread", [&] {
      while (!member->append_work.empty())
        append_lane(*member);
    });
  }
  for (Member* member : some) {
    if (member->apply_work.empty()) continue;
    work(*member, "processing apply thread", [&] {
      while (!member->apply_work.empty())
        apply_lane(*member);
    });
  }
  return worked;
}

Result<> Interaction::status(const Command& command) {
  const Machine& machine = first(command).core->machine();
  if (machine.role() != Role::kLeader) return {};
  for (const auto& [id, progress] : machine.tracker().progress) {
    output_.write(std::to_string(id) + ": " + progress.text() + "\n");
  }
  return {};
}

Result<> Interaction::tick(const Command& command, bool election) {
  Member& member = first(command);
  uint32_t ticks = election ? member.options.election_ticks : member.options.heartbeat_ticks;
  for (uint32_t i = 0; i < ticks; i++)
    TRY(member.core->give({}));
  return {};
}

Result<> Interaction::tick_election(const Command& command) {
  return tick(command, true);
}

Result<> Interaction::tick_heartbeat(const Command& command) {
  return tick(command, false);
}

Result<> Interaction::transfer(const Command& command) {
  NodeId from = kNobody;
  NodeId to = kNobody;
  for (const Argument& argument : command.arguments) {
    (argument.key == "from" ? from : to) = numbers(argument)[0];
  }
  return members_[from - 1]->core->give({.kind = Input::Kind::kTransfer, .node = to});
}

Result<> Interaction::forget_leader(const Command& command) {
  return first(command).core->give({.kind = Input::Kind::kForgetLeader});
}

Result<> Interaction::send_snapshot(const Command& command) {
  std::vector<Member*> some = members(command);
  Message message{.type = MessageType::kSnapshot,
                  .to = some[1]->options.id,
                  .from = some[0]->options.id,
                  .term = some[0]->core->machine().term()};
  message.snapshot = some[0]->history.back();
  output_.write(describe(message));
  messages_.push_back(std::move(message));
  return {};
}

Result<> Interaction::propose(const Command& command) {
  Input input{.kind = Input::Kind::kPropose};
  input.data = Payload(command.arguments[1].key);
  return first(command).core->give(std::move(input));
}

Result<> Interaction::propose_change(const Command& command) {
  Input input{.kind = Input::Kind::kChange};
  for (const Argument& argument : command.arguments) {
    if (argument.values.empty()) continue;
    const std::string& value = argument.values[0];
    if (argument.key == "v1" && value == "true") input.change_type = EntryType::kConfChange;
    if (value == "implicit") input.change.transition = ConfChange::Transition::kJointImplicit;
    if (value == "explicit") input.change.transition = ConfChange::Transition::kJointExplicit;
  }
  input.change.changes = parse_changes(command.input);
  return first(command).core->give(std::move(input));
}

Result<> Interaction::report_unreachable(const Command& command) {
  std::vector<Member*> some = members(command);
  return some[0]->core->give({.kind = Input::Kind::kUnreachable, .node = some[1]->options.id});
}

// read <id> <request>: the answer shows up as a ReadState.
Result<> Interaction::read(const Command& command) {
  uint64_t request = parse_unsigned(command.arguments[1].key).value_or(0);
  return first(command).core->give({.kind = Input::Kind::kRead, .request = request});
}

// crash <id>: what the lanes had not finished is lost; the member starts again from its storage.
Result<> Interaction::crash(const Command& command) {
  Member& member = first(command);
  NodeId id = member.options.id;
  member.append_work.clear();
  member.apply_work.clear();
  std::erase_if(messages_,
                [id](const Message& message) { return message.to == id && stays_inside(message); });
  member.options.applied = member.history.back().index;
  member.core = nullptr;
  member.core = TRY(Core::open(member.options, member.storage, &output_));
  return {};
}

std::unique_ptr<Interpreter> interaction_interpreter() {
  return std::make_unique<Interaction>();
}

}  // namespace coracle::raft
