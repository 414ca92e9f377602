// SPDX-License-Identifier: GPL-2.0-or-later
// A pod's sandbox: network, uts, ipc and mount namespaces held by one small process (the shim) that
// starts the pod's containers through crun, keeps their logs (CRI format, rotated) and their exit
// codes on disk, and goes on when the daemon stops or dies. Everything a sandbox mounts lives in
// its own mount namespace, so nothing is left behind when the shim ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "port/net.h"

namespace coracle::port {

// Made by the shim inside the sandbox's mount namespace in order; those of a container before it
// starts.
struct SandboxMount {
  std::string type;  // "overlay", "tmpfs", "bind", "subpath" (see port/linux/shim/README.md)
  std::string source;
  std::string target;  // created by the caller
  std::string
      options;  // as for mount(8), e.g. "lowerdir=a:b,upperdir=u,workdir=w"; for bind "ro" or ""
};

struct SandboxOptions {
  std::string
      directory;  // of this sandbox, exists, on a real file system; the shim keeps its state here
  std::string hostname;
  bool host_network =
      false;  // spec.hostNetwork: the shim stays in the node's network (and uts) namespace
  // Made before on_ready and kept until the sandbox ends: what its containers share (tmpfs volumes,
  // /dev/shm).
  std::vector<SandboxMount> mounts = {};
};

struct ContainerStart {
  std::string id;  // unique in the sandbox and over restarts: "<name>-<attempt>"; [a-z0-9-], <= 80
                   // characters
  std::string bundle;  // OCI bundle: config.json and rootfs/
  std::vector<SandboxMount> mounts;
  std::string log_path;
  uint64_t log_bytes_max = 0;  // then log_path is renamed to log_path.1 and so on
  uint32_t log_files_max = 1;
  bool input = false;     // stdin stays open for attach(); else it is /dev/null
  bool terminal = false;  // the bundle says so too
};

enum class ContainerPhase : uint8_t { kStarting, kRunning, kExited, kFailedToStart };

struct ContainerRecord {
  std::string id;
  ContainerPhase phase = ContainerPhase::kStarting;
  int64_t pid = 0;    // of the container's first process, while running
  int exit_code = 0;  // 128 + signal when killed
  int signal = 0;
  Wall started;
  Wall finished;
  std::string message;  // kFailedToStart: what crun said (<= 1 KiB)
};

class SandboxEvents {
 public:
  virtual void on_ready() = 0;                                   // namespaces exist; pid() is valid
  virtual void on_container(const ContainerRecord& record) = 0;  // each change of phase
  virtual void on_lost(std::string_view why) = 0;  // the shim is gone; the sandbox is over

 protected:
  ~SandboxEvents() = default;
};

struct CommandOptions {
  std::string id;       // of the running container
  std::string process;  // what runs in it, as an OCI process (JSON)
  bool input = false;
  bool terminal = false;  // `process` says so too; stderr is then part of stdout
};

struct CommandEnd {
  bool started = true;  // false: no such program, the container is gone, ...; see `why`
  int exit_code = 0;    // 128 + signal when killed
  std::string why;
};

class CommandEvents {
 public:
  virtual void on_output(bool is_error, std::string_view bytes) = 0;
  virtual void on_input_taken() {}                          // queued() fell to 0 after it was > 0
  virtual void on_command_over(const CommandEnd& end) = 0;  // once, behind all output

 protected:
  ~CommandEvents() = default;
};

// A command beside a container's own, or the container's own stdio. Destroying it ends a command
// (SIGKILL, or the hang-up of its terminal) and leaves a container as it is; no event follows. Not
// from inside one of its events.
class Command {
 public:
  virtual ~Command() = default;
  virtual void send(std::string bytes) = 0;
  virtual void close_input() = 0;  // after what was sent
  virtual size_t queued() const = 0;
  virtual void resize(uint16_t columns, uint16_t rows) = 0;
  virtual void pause_output(bool paused) = 0;
};

// Destroying it lets go: the shim and its containers go on.
class Sandbox {
 public:
  virtual ~Sandbox() = default;
  virtual int64_t pid() const = 0;  // of the shim: /proc/PID/ns/{net,uts,ipc}
  virtual void start(const ContainerStart& container) = 0;
  virtual void signal(const std::string& id, int signal) = 0;  // to the container's first process
  virtual void kill(const std::string& id) = 0;    // SIGKILL to every process of the container
  virtual void forget(const std::string& id) = 0;  // crun delete --force, unmount, drop the record
  virtual Result<std::unique_ptr<Command>> run(const CommandOptions& options,
                                               CommandEvents& events) = 0;
  // Output from now on; `input` if the container was started with it, closed for good by
  // close_input(). Over when the container's output ends.
  virtual Result<std::unique_ptr<Command>> attach(const std::string& id,
                                                  bool input,
                                                  CommandEvents& events) = 0;
  // TCP within the sandbox's network namespace.
  virtual std::unique_ptr<Stream> connect(const Endpoint& to, StreamEvents& events) = 0;
  virtual void end() = 0;  // kill all containers, forget them, end the shim
};

class Sandboxes {
 public:
  virtual ~Sandboxes() = default;
  virtual Result<std::unique_ptr<Sandbox>> create(const SandboxOptions& options,
                                                  SandboxEvents& events) = 0;
  // Of a sandbox made by an earlier daemon: on_ready, then on_container for every container the
  // shim knows, with the exit codes of those that ended meanwhile; or on_lost.
  virtual Result<std::unique_ptr<Sandbox>> adopt(const std::string& directory,
                                                 SandboxEvents& events) = 0;
};

}  // namespace coracle::port
