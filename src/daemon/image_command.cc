// SPDX-License-Identifier: GPL-2.0-or-later
// `coracle image`: asks the running server; without one it works on the store itself.
#include "base/bytes.h"
#include "daemon/cli.h"
#include "daemon/control.h"
#include "node/images.h"
#include "node/machine.h"

namespace coracle::daemon {

namespace {

// The store without a server.
class Offline final : node::ImageListener {
 public:
  Offline(port_linux::Machine& machine, const Config& config)
      : machine_(machine),
        lane_(machine.lane("unpack")),
        images_(machine.disk(),
                *lane_,
                config.data_dir + "/images",
                std::string(node::architecture())) {}
  ~Offline() { images_.forget(*this); }

  Result<std::string> load(const std::string& path) {
    TRY(images_.open());
    images_.load(path, *this, 0);
    machine_.run();
    return answer_;
  }

  Result<std::string> list() {
    TRY(images_.open());
    std::string out;
    for (const node::Image& image : images_.all()) {
      for (const std::string& name : image.names) {
        out += join({name, "  ", image.id.substr(image.id.find(':') + 1, 12), "  ",
                     std::to_string((image.bytes + 1023) / 1024), " KiB\n"});
      }
    }
    return out;
  }

 private:
  void on_image_loaded(uint64_t, Result<std::vector<std::string>> names) override {
    if (names) {
      std::string text;
      for (const std::string& name : *names)
        text += join({"loaded ", name, "\n"});
      answer_ = text;
    } else {
      answer_ = std::move(names).error();
    }
    machine_.stop();
  }
  void on_image_removed(uint64_t, Result<>) override { machine_.stop(); }

  port_linux::Machine& machine_;
  std::unique_ptr<port::Lane> lane_;
  node::Images images_;
  Result<std::string> answer_ = std::string();
};

Result<std::string> without_server(port_linux::Machine& machine,
                                   const Config& config,
                                   const std::vector<std::string>& words) {
  Offline offline(machine, config);
  if (words[1] == "load") return offline.load(words[2]);
  if (words[1] == "ls") return offline.list();
  return fail(Code::kUnavailable, "rm needs the running server, which knows what its Pods use");
}

}  // namespace

Result<int> run_image(const Arguments& arguments) {
  std::vector<std::string> words = {"image"};
  words.insert(words.end(), arguments.positional.begin(), arguments.positional.end());
  const bool named = words.size() == 3 && (words[1] == "load" || words[1] == "rm");
  const bool listing = words.size() == 2 && words[1] == "ls";
  if (!named && !listing)
    return fail(Code::kBadRequest, "usage: coracle image load FILE | ls | rm NAME");
  port_linux::Machine machine;
  if (words[1] == "load") words[2] = TRY(absolute_path(machine.disk(), words[2]));
  Result<std::string> answer = ask_daemon(machine, control_path(arguments.config.run_dir), words);
  if (!answer && answer.error().code == Code::kNotFound)
    answer = without_server(machine, arguments.config, words);
  print(TRY(std::move(answer)));
  return 0;
}

}  // namespace coracle::daemon
