// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/record.h"

#include <array>

#include "base/bytes.h"
#include "json/writer.h"
#include "node/spec.h"
#include "pki/digest.h"

namespace coracle::node {

namespace {

constexpr size_t kPhases = 6;
constexpr std::array<std::string_view, kPhases> kPhaseNames = {"New",      "SettingUp", "Running",
                                                               "Stopping", "Ended",     "Removed"};
constexpr std::array<std::string_view, 4> kRunNames = {"waiting", "starting", "running",
                                                       "terminated"};

constexpr uint32_t bit(Phase phase) {
  return 1u << static_cast<uint32_t>(phase);
}

// The allowed moves, a row a phase: this table is the documentation of a pod's life on the node.
constexpr std::array<uint32_t, kPhases> kMoves = {
    /* New       */ bit(Phase::kSettingUp) | bit(Phase::kEnded),
    /* SettingUp */ bit(Phase::kRunning) | bit(Phase::kNew) | bit(Phase::kStopping),
    /* Running   */ bit(Phase::kStopping) | bit(Phase::kNew),
    /* Stopping  */ bit(Phase::kEnded),
    /* Ended     */ bit(Phase::kRemoved),
    /* Removed   */ 0,
};

}  // namespace

std::string_view phase_name(Phase phase) {
  return kPhaseNames[static_cast<size_t>(phase)];
}
std::string_view run_state_name(RunState state) {
  return kRunNames[static_cast<size_t>(state)];
}

bool may_move(Phase from, Phase to) {
  return (kMoves[static_cast<size_t>(from)] & bit(to)) != 0;
}

ContainerState* PodRecord::find(std::string_view container) {
  for (ContainerState& state : containers) {
    if (state.name == container) return &state;
  }
  return nullptr;
}

const ContainerState* PodRecord::find(std::string_view container) const {
  return const_cast<PodRecord*>(this)->find(container);
}

PodRecord new_record(json::Node pod, Wall now) {
  PodRecord record;
  record.uid = pod["metadata"]["uid"].string();
  record.ns = pod["metadata"]["namespace"].string();
  record.name = pod["metadata"]["name"].string();
  record.started = now;
  align(record, pod);
  return record;
}

void align(PodRecord& record, json::Node pod) {
  std::vector<ContainerState> aligned;
  for (const ContainerSpec& container : containers_of(pod)) {
    ContainerState* known = record.find(container.name());
    if (known != nullptr) {
      aligned.push_back(std::move(*known));
      known->name.clear();
      continue;
    }
    ContainerState fresh;
    fresh.name = container.name();
    aligned.push_back(std::move(fresh));
  }
  record.containers = std::move(aligned);
}

// --- Text form

namespace {

void write_termination(json::Writer& out, std::string_view name, const Termination& end) {
  out.key(name);
  out.begin_object();
  out.member("exitCode", end.exit_code);
  out.member("signal", end.signal);
  out.member("attempt", end.attempt);
  out.member("reason", std::string_view(end.reason));
  out.member("message", std::string_view(end.message));
  out.member("started", std::string_view(rfc3339_nano(end.started)));
  out.member("finished", std::string_view(rfc3339_nano(end.finished)));
  out.end_object();
}

void write_state(json::Writer& out, const ContainerState& state) {
  out.begin_object();
  out.member("name", std::string_view(state.name));
  out.member("run", run_state_name(state.run));
  out.member("attempt", state.attempt);
  out.member("reason", std::string_view(state.waiting_reason));
  out.member("message", std::string_view(state.waiting_message));
  out.member("image", std::string_view(state.image));
  out.member("imageID", std::string_view(state.image_id));
  out.member("stopSignal", std::string_view(state.stop_signal));
  out.member("started", std::string_view(rfc3339_nano(state.started)));
  out.member("pid", state.pid);
  out.member("backOffMs", state.back_off.ms());
  out.member("startProbed", state.start_probed);
  if (state.ended) write_termination(out, "ended", *state.ended);
  if (state.before) write_termination(out, "before", *state.before);
  out.end_object();
}

Wall read_time(json::Node at) {
  return parse_rfc3339(at.string()).value_or(Wall{});
}

std::optional<Termination> read_termination(json::Node from) {
  if (!from.is_object()) return std::nullopt;
  Termination end;
  end.exit_code = static_cast<int>(from["exitCode"].integer());
  end.signal = static_cast<int>(from["signal"].integer());
  end.attempt = from["attempt"].integer();
  end.reason = from["reason"].string();
  end.message = from["message"].string();
  end.started = read_time(from["started"]);
  end.finished = read_time(from["finished"]);
  return end;
}

ContainerState read_state(json::Node from) {
  ContainerState state;
  state.name = from["name"].string();
  for (size_t i = 0; i < kRunNames.size(); ++i) {
    if (kRunNames[i] == from["run"].string()) state.run = static_cast<RunState>(i);
  }
  state.attempt = from["attempt"].integer();
  state.waiting_reason = from["reason"].string();
  state.waiting_message = from["message"].string();
  state.image = from["image"].string();
  state.image_id = from["imageID"].string();
  state.stop_signal = from["stopSignal"].string();
  state.started = read_time(from["started"]);
  state.pid = from["pid"].integer();
  state.back_off = milliseconds(from["backOffMs"].integer());
  state.start_probed = from["startProbed"].boolean();
  state.ended = read_termination(from["ended"]);
  state.before = read_termination(from["before"]);
  return state;
}

}  // namespace

std::string record_text(const PodRecord& record) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.member("uid", std::string_view(record.uid));
  out.member("namespace", std::string_view(record.ns));
  out.member("name", std::string_view(record.name));
  out.member("phase", phase_name(record.phase));
  if (record.ip) out.member("ip", std::string_view(record.ip->text()));
  out.member("started", std::string_view(rfc3339_nano(record.started)));
  out.member("failed", record.failed);
  out.member("reason", std::string_view(record.reason));
  out.member("message", std::string_view(record.message));
  out.key("containers");
  out.begin_array();
  for (const ContainerState& state : record.containers)
    write_state(out, state);
  out.end_array();
  out.end_object();
  return text;
}

Result<PodRecord> parse_record(std::string_view text) {
  json::Tree tree;
  const json::Node root = TRY(tree.parse(text));
  PodRecord record;
  record.uid = root["uid"].string();
  record.ns = root["namespace"].string();
  record.name = root["name"].string();
  if (record.uid.empty()) return fail(Code::kCorrupt, "pod record without uid");
  for (size_t i = 0; i < kPhases; ++i) {
    if (kPhaseNames[i] == root["phase"].string()) record.phase = static_cast<Phase>(i);
  }
  record.ip = parse_ip4(root["ip"].string());
  record.started = read_time(root["started"]);
  record.failed = root["failed"].boolean();
  record.reason = root["reason"].string();
  record.message = root["message"].string();
  for (const json::Node state : root["containers"])
    record.containers.push_back(read_state(state));
  return record;
}

std::string container_id(const PodRecord& record, const ContainerState& state, int64_t attempt) {
  return hex(pki::sha256(join({record.uid, "/", state.name, "/", std::to_string(attempt)})));
}

}  // namespace coracle::node
