// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/image_desk.h"

#include "base/bytes.h"

namespace coracle::daemon {

namespace {

std::string image_lines(const std::vector<node::Image>& images) {
  std::string out;
  for (const node::Image& image : images) {
    const std::string size = std::to_string((image.bytes + 1023) / 1024);
    const std::string id = image.id.substr(image.id.find(':') + 1, 12);
    if (image.names.empty()) out += join({"<none>  ", id, "  ", size, " KiB\n"});
    for (const std::string& name : image.names)
      out += join({name, "  ", id, "  ", size, " KiB\n"});
  }
  return out;
}

}  // namespace

void ImageDesk::close() {
  if (agent_ != nullptr) agent_->forget(*this);
  agent_ = nullptr;
}

bool ImageDesk::take(uint64_t token, const std::vector<std::string>& words) {
  if (words.empty() || words[0] != "image") return false;
  if (agent_ == nullptr) {
    control_.answer(token, fail(Code::kUnavailable, "the node is not ready yet"));
    return true;
  }
  const size_t count = words.size();
  if (count == 3 && words[1] == "load") {
    agent_->load_image(words[2], *this, token);
  } else if (count == 3 && words[1] == "rm") {
    agent_->remove_image(words[2], *this, token);
  } else if (count == 2 && words[1] == "ls") {
    control_.answer(token, image_lines(agent_->images()));
  } else {
    return false;
  }
  return true;
}

void ImageDesk::on_image_loaded(uint64_t token, Result<std::vector<std::string>> names) {
  if (!names) return control_.answer(token, std::move(names).error());
  std::string text;
  for (const std::string& name : *names)
    text += join({"loaded ", name, "\n"});
  control_.answer(token, text);
}

void ImageDesk::on_image_removed(uint64_t token, Result<> removed) {
  if (!removed) return control_.answer(token, std::move(removed).error());
  control_.answer(token, std::string("removed\n"));
}

}  // namespace coracle::daemon
