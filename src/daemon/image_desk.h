// SPDX-License-Identifier: GPL-2.0-or-later
// Answers `coracle image` for a running node agent.
#pragma once

#include <string>
#include <vector>

#include "daemon/control.h"
#include "node/agent.h"

namespace coracle::daemon {

class ImageDesk final : node::ImageListener {
 public:
  explicit ImageDesk(ControlServer& control) : control_(control) {}
  ~ImageDesk() { close(); }
  ImageDesk(const ImageDesk&) = delete;
  ImageDesk& operator=(const ImageDesk&) = delete;

  void open(node::Agent& agent) { agent_ = &agent; }
  void close();  // before the agent is destroyed
  bool take(uint64_t token, const std::vector<std::string>& words);  // false: not about images

 private:
  void on_image_loaded(uint64_t token, Result<std::vector<std::string>> names) override;
  void on_image_removed(uint64_t token, Result<> removed) override;

  ControlServer& control_;
  node::Agent* agent_ = nullptr;
};

}  // namespace coracle::daemon
