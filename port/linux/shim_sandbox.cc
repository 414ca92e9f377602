// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/shim_sandbox.h"

#include <cerrno>
#include <utility>

#include <signal.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "port/linux/clock.h"
#include "port/linux/disk.h"
#include "port/linux/local_socket.h"
#include "port/linux/namespace.h"
#include "port/linux/run_command.h"
#include "port/linux/shim/wire.h"

namespace coracle::port_linux {
namespace {

constexpr const char* kLeftoverFiles[] = {"shim", "shim.sock"};
constexpr const char* kLeftoverTrees[] = {"c", "crun"};

void add_field(std::string& record, std::string_view field) {
  record.append(field);
  record.push_back('\0');
}

std::string fields(std::initializer_list<std::string_view> list) {
  std::string record;
  for (std::string_view field : list)
    add_field(record, field);
  return record;
}

void add_mounts(std::string& record, const std::vector<port::SandboxMount>& mounts) {
  for (const port::SandboxMount& mount : mounts)
    record += fields({mount.type, mount.source, mount.target, mount.options});
}

uint64_t number(const std::vector<std::string_view>& from, size_t i) {
  return i < from.size() ? parse_unsigned(from[i]).value_or(0) : 0;
}

port::ContainerRecord container_record(const std::vector<std::string_view>& field) {
  port::ContainerRecord record;
  record.id = field[1];
  record.phase = static_cast<port::ContainerPhase>(number(field, 2) & 3);
  record.pid = static_cast<int64_t>(number(field, 3));
  record.exit_code = static_cast<int>(number(field, 4));
  record.signal = static_cast<int>(number(field, 5));
  record.started = {static_cast<int64_t>(number(field, 6))};
  record.finished = {static_cast<int64_t>(number(field, 7))};
  record.message = field.size() > 8 ? field[8] : "";
  return record;
}

}  // namespace

ShimSandbox::ShimSandbox(ShimSandboxes& owner, std::string directory, port::SandboxEvents& events)
    : owner_(owner),
      directory_(std::move(directory)),
      events_(events) {}

ShimSandbox::~ShimSandbox() {
  *destroyed_ = true;
}

// The socket listens before the shim runs, so that connecting needs no waiting; our copy is closed
// at once, so that the socket dies with the shim.
Result<> ShimSandbox::launch(const port::SandboxOptions& options) {
  LocalAddress address = TRY(local_address(directory_ + "/shim.sock"));
  Fd listening = TRY(bind_local(address));
  if (::listen(listening.get(), 4) != 0) return os_error(errno, "listen");
  port::SpawnOptions spawn;
  spawn.arguments = {
      owner_.programs().shim,    "hold",           directory_,
      owner_.programs().runtime, options.hostname, options.host_network ? "node" : "pod"};
  for (const port::SandboxMount& mount : options.mounts)
    spawn.arguments.insert(spawn.arguments.end(),
                           {mount.type, mount.source, mount.target, mount.options});
  spawn.detached = true;
  process_ = TRY(owner_.processes().spawn_holding(spawn, listening.get(), *this));
  pid_ = process_->pid();
  return {};
}

void ShimSandbox::connect() {
  phase_ = Phase::kConnecting;
  received_.clear();
  stream_ = owner_.network().connect_local(directory_ + "/shim.sock", *this);
}

void ShimSandbox::start(const port::ContainerStart& container) {
  // Only containers with stdin or a terminal need a shim that knows of such.
  const bool plain = !container.input && !container.terminal;
  std::string record =
      fields({plain ? "start" : "startio", container.id, container.bundle, container.log_path,
              std::to_string(container.log_bytes_max), std::to_string(container.log_files_max)});
  if (!plain) {
    add_field(record, !container.terminal ? "stdin" : container.input ? "stdin,tty" : "tty");
  }
  add_mounts(record, container.mounts);
  if (record.size() <= shim::kRecordBytesMax) return send(record);
  port::ContainerRecord refused;
  refused.id = container.id;
  refused.phase = port::ContainerPhase::kFailedToStart;
  refused.message = "mounts do not fit into 64 KiB";
  refused_.push_back(std::move(refused));
  owner_.loop().defer(*this);
}

void ShimSandbox::signal(const std::string& id, int signal) {
  send(fields({"signal", id, std::to_string(signal)}));
}

void ShimSandbox::kill(const std::string& id) {
  send(fields({"kill", id}));
}

void ShimSandbox::forget(const std::string& id) {
  send(fields({"forget", id}));
}

Result<std::unique_ptr<port::Command>> ShimSandbox::run(const port::CommandOptions& options,
                                                        port::CommandEvents& events) {
  if (pid_ <= 0) return fail(Code::kUnavailable, "the sandbox is not ready");
  auto command = std::make_unique<RunCommand>(
      owner_, join({directory_, "/x", std::to_string(++commands_)}), events);
  TRY(command->start(options, directory_, pid_));
  return std::unique_ptr<port::Command>(std::move(command));
}

Result<std::unique_ptr<port::Command>> ShimSandbox::attach(const std::string& id,
                                                           bool input,
                                                           port::CommandEvents& events) {
  if (stream_ == nullptr) return fail(Code::kUnavailable, "the sandbox is over");
  const auto known = taps_.find(id);
  if (known != taps_.end() && known->second->is_open()) return known->second->add(input, events);
  auto tap = std::make_unique<Tap>(*this, owner_.loop(), id, join({directory_, "/c/", id}));
  TRY(tap->open());
  Result<std::unique_ptr<port::Command>> attached = tap->add(input, events);
  if (!attached) return attached;
  taps_.insert_or_assign(id, std::move(tap));
  send(fields({"tap", id}));
  return attached;
}

std::unique_ptr<port::Stream> ShimSandbox::connect(const port::Endpoint& to,
                                                   port::StreamEvents& events) {
  const Result<NetworkVisit> visit = NetworkVisit::enter(pid_);
  if (visit) return owner_.network().connect(to, events);
  auto stream = std::make_unique<LoopStream>(owner_.loop(), new_tcp_core(owner_.loop()), to);
  stream->listen_to(events);
  stream->close_later(visit.error().message);
  return stream;
}

void ShimSandbox::resize(const std::string& id, uint16_t columns, uint16_t rows) {
  send(fields({"resize", id, std::to_string(columns), std::to_string(rows)}));
}

void ShimSandbox::end_input(const std::string& id) {
  send(fields({"eof", id}));
}

void ShimSandbox::end() {
  ending_ = true;
  send(fields({"end"}));
}

void ShimSandbox::send(const std::string& record) {
  if (stream_ == nullptr) return;  // lost: on_lost is under way
  std::string sized;
  put_u32(sized, static_cast<uint32_t>(record.size()));
  stream_->send(sized + record);
}

void ShimSandbox::run_deferred() {
  const std::shared_ptr<bool> destroyed = destroyed_;
  while (!*destroyed && !refused_.empty()) {
    const port::ContainerRecord record = std::move(refused_.back());
    refused_.pop_back();
    events_.on_container(record);
  }
}

void ShimSandbox::on_bytes(std::string_view bytes) {
  received_.append(bytes);
  const std::shared_ptr<bool> destroyed = destroyed_;
  while (!*destroyed) {
    const std::optional<std::string> record = next_record();
    if (!record) break;
    obey(*record);
  }
}

std::optional<std::string> ShimSandbox::next_record() {
  if (received_.size() < 4) return std::nullopt;
  const size_t size = get_u32(received_.data());
  if (received_.size() < 4 + size) return std::nullopt;
  std::string record = received_.substr(4, size);
  received_.erase(0, 4 + size);
  return record;
}

void ShimSandbox::obey(std::string_view record) {
  const std::vector<std::string_view> field = split(record, '\0');
  if (field[0] == "failed" && field.size() > 1) why_lost_ = field[1];
  if (field[0] == "tapped" && field.size() > 1) {
    if (const auto tap = taps_.find(field[1]); tap != taps_.end()) tap->second->tapped();
  }
  if (field[0] == "container" && field.size() > 2) {
    const port::ContainerRecord container = container_record(field);
    const auto tap = taps_.find(container.id);
    if (tap != taps_.end() && container.phase == port::ContainerPhase::kExited)
      tap->second->container_over();
    events_.on_container(container);
  }
  if (field[0] != "ready") return;
  phase_ = Phase::kConnected;
  pid_ = static_cast<int64_t>(number(field, 1));
  if (!std::exchange(announced_, true)) events_.on_ready();
}

// Once connected, the shim may have cut us off because we did not read: its state is told again on
// connect.
void ShimSandbox::on_closed(std::string_view why) {
  if (phase_ == Phase::kConnected && !ending_) return connect();
  give_up(why_lost_.empty() ? join({"shim: ", why}) : why_lost_);
}

void ShimSandbox::on_exit(int, int) {
  process_.reset();
  if (phase_ == Phase::kSweeping) finish();
}

void ShimSandbox::give_up(std::string why) {
  why_lost_ = ending_ ? "ended" : std::move(why);
  stream_.reset();
  phase_ = Phase::kSweeping;
  const std::shared_ptr<bool> destroyed = destroyed_;
  report_leftovers();
  if (*destroyed) return;
  port::SpawnOptions sweep;
  sweep.arguments = {owner_.programs().shim, "sweep", directory_, owner_.programs().runtime};
  RealDisk disk;
  const auto left = disk.list(directory_ + "/c");
  if (!left || left->empty()) return finish();
  auto sweeping = owner_.processes().spawn(sweep, *this);
  if (!sweeping) return finish();
  process_ = std::move(*sweeping);
}

void ShimSandbox::report_leftovers() {
  RealDisk disk;
  const auto ids = disk.list(directory_ + "/c");
  if (!ids) return;
  for (const std::string& id : *ids) {
    if (!report_leftover(id)) return;
  }
}

// A container that ended before its shim has an exit record; one that runs on without it is killed:
// nobody would keep its log or learn its exit code.
bool ShimSandbox::report_leftover(const std::string& id) {
  RealDisk disk;
  const std::string at = join({directory_, "/c/", id});
  port::ContainerRecord record;
  record.id = id;
  record.phase = port::ContainerPhase::kExited;
  const auto exit_file = disk.read_file(at + "/exit", 256);
  const auto run_file = disk.read_file(at + "/run", 256);
  const auto exited = split(exit_file ? trim(*exit_file) : "", ' ');
  const auto run = split(run_file ? trim(*run_file) : "", ' ');
  if (exited.size() == 4) {
    record.exit_code = static_cast<int>(number(exited, 0));
    record.signal = static_cast<int>(number(exited, 1));
    record.started = {static_cast<int64_t>(number(exited, 2))};
    record.finished = {static_cast<int64_t>(number(exited, 3))};
  } else {
    const auto pid = static_cast<int64_t>(number(run, 0));
    const auto start = pid > 0 ? owner_.processes().start_time(pid) : Result<uint64_t>(uint64_t{0});
    if (pid > 0 && start && *start == number(run, 1))
      static_cast<void>(owner_.processes().signal(pid, SIGKILL));
    record.exit_code = 128 + SIGKILL;
    record.signal = SIGKILL;
    record.started = {static_cast<int64_t>(number(run, 2))};
    record.finished = LoopClock(owner_.loop()).wall();
  }
  const std::shared_ptr<bool> destroyed = destroyed_;
  events_.on_container(record);
  return !*destroyed;
}

// The last thing a sandbox does: the listener may destroy it.
void ShimSandbox::finish() {
  phase_ = Phase::kOver;
  RealDisk disk;
  for (const char* name : kLeftoverFiles)
    static_cast<void>(disk.remove(join({directory_, "/", name})));
  for (const char* name : kLeftoverTrees)
    static_cast<void>(disk.remove_tree(join({directory_, "/", name})));
  const std::string why = why_lost_;
  events_.on_lost(why);
}

}  // namespace coracle::port_linux
