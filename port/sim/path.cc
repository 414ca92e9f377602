// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/sim/path.h"

#include <vector>

#include "base/bytes.h"

namespace coracle::port_sim {
namespace {

constexpr int kSymlinksMax = 40;  // as Linux

class Walk {
 public:
  Walk(Node& start, LastSymlink last, Reach reach) : trail_{&start}, last_(last), reach_(reach) {}

  Result<Place> to(std::string_view path) {
    if (reach_ == Reach::kBeneath && path.starts_with("/")) return refuse(path);
    put_ahead(path);
    Place place{nullptr, "", trail_.back()};
    while (!ahead_.empty()) {
      const std::string name = std::move(ahead_.back());
      ahead_.pop_back();
      if (place.node == nullptr || place.node->type != port::FileType::kDirectory) {
        return fail(Code::kNotFound, join({path, ": no such file or directory"}));
      }
      if (name == "..") {
        if (trail_.size() == 1 && reach_ == Reach::kBeneath) return refuse(path);
        if (trail_.size() > 1) trail_.pop_back();
        place = {nullptr, "", trail_.back()};
        continue;
      }
      const auto entry = place.node->entries.find(name);
      place = {place.node, name, entry == place.node->entries.end() ? nullptr : entry->second};
      if (is_followed(place)) {
        if (!expand(place.node->target)) return refuse(path);
        place = {nullptr, "", trail_.back()};
      } else if (place.node != nullptr) {
        trail_.push_back(place.node);
      }
    }
    return place;
  }

 private:
  static Error refuse(std::string_view path) {
    return fail(Code::kIo, join({path, ": path leaves its tree"}));
  }

  bool is_followed(const Place& place) const {
    if (place.node == nullptr || place.node->type != port::FileType::kSymlink) return false;
    return !ahead_.empty() || last_ == LastSymlink::kFollow;
  }

  bool expand(const std::string& target) {
    if (++symlinks_ > kSymlinksMax) return false;
    if (target.starts_with("/")) {
      if (reach_ == Reach::kBeneath) return false;
      trail_.resize(1);
    }
    put_ahead(target);
    return true;
  }

  void put_ahead(std::string_view path) {
    const std::vector<std::string_view> parts = split(path, '/');
    for (size_t i = parts.size(); i > 0; --i) {
      const std::string_view part = parts[i - 1];
      if (!part.empty() && part != ".") ahead_.emplace_back(part);
    }
  }

  std::vector<Node*> trail_;        // from the start to where the walk stands
  std::vector<std::string> ahead_;  // next component last
  LastSymlink last_;
  Reach reach_;
  int symlinks_ = 0;
};

}  // namespace

Result<Place> find_place(Node& start, std::string_view path, LastSymlink last, Reach reach) {
  return Walk(start, last, reach).to(path);
}

}  // namespace coracle::port_sim
