// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's end of one shim. The shim keeps the truth; this object follows it over the socket
// and connects again when the connection breaks. When nobody answers any more, the shim is dead:
// what it left is killed and swept away, and the sandbox is lost.
#pragma once

#include <map>
#include <optional>

#include "port/linux/sandbox.h"
#include "port/linux/tap.h"

namespace coracle::port_linux {

class ShimSandbox : public port::Sandbox,
                    private port::StreamEvents,
                    private port::ProcessEvents,
                    private Deferred {
 public:
  ShimSandbox(ShimSandboxes& owner, std::string directory, port::SandboxEvents& events);
  ~ShimSandbox() override;
  Result<> launch(const port::SandboxOptions& options);
  void connect();

  int64_t pid() const override { return pid_; }
  void start(const port::ContainerStart& container) override;
  void signal(const std::string& id, int signal) override;
  void kill(const std::string& id) override;
  void forget(const std::string& id) override;
  Result<std::unique_ptr<port::Command>> run(const port::CommandOptions& options,
                                             port::CommandEvents& events) override;
  Result<std::unique_ptr<port::Command>> attach(const std::string& id,
                                                bool input,
                                                port::CommandEvents& events) override;
  std::unique_ptr<port::Stream> connect(const port::Endpoint& to,
                                        port::StreamEvents& events) override;
  void end() override;

  // For its taps.
  void resize(const std::string& id, uint16_t columns, uint16_t rows);
  void end_input(const std::string& id);
  void drop_tap(const std::string& id) { taps_.erase(id); }

 private:
  enum class Phase : uint8_t { kConnecting, kConnected, kSweeping, kOver };

  void on_bytes(std::string_view bytes) override;
  void on_closed(std::string_view why) override;
  void on_exit(int code, int signal) override;  // of the shim, or of the sweeping one
  void run_deferred() override;
  std::optional<std::string> next_record();
  void obey(std::string_view record);
  void send(const std::string& record);
  void give_up(std::string why);
  void finish();
  void report_leftovers();
  bool report_leftover(const std::string& id);  // false when the sandbox was destroyed meanwhile

  ShimSandboxes& owner_;
  const std::string directory_;
  port::SandboxEvents& events_;
  Phase phase_ = Phase::kConnecting;
  std::unique_ptr<port::Stream> stream_;
  std::unique_ptr<port::Process> process_;
  std::string received_;
  std::string why_lost_;
  std::vector<port::ContainerRecord> refused_;  // starts that could not even be sent
  std::map<std::string, std::unique_ptr<Tap>, std::less<>> taps_;  // by container id
  uint64_t commands_ = 0;                                          // names their files
  int64_t pid_ = 0;
  bool announced_ = false;  // on_ready was called
  bool ending_ = false;
  // Outlives this object for as long as one of its functions is still calling a listener.
  std::shared_ptr<bool> destroyed_ = std::make_shared<bool>(false);
};

}  // namespace coracle::port_linux
