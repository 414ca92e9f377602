// SPDX-License-Identifier: GPL-2.0-or-later
#include <utility>

#include "base/bytes.h"
#include "port/sim/disk.h"

namespace coracle::port_sim {
namespace {

class SimTree : public port::Tree {
 public:
  SimTree(Platter& platter, Node& root) : platter_(platter), root_(root) { root_.handles++; }
  ~SimTree() override { root_.handles--; }

  Result<std::unique_ptr<port::File>> open(const std::string& path,
                                           port::OpenMode mode,
                                           uint32_t permissions) override {
    return open_place(platter_, TRY(find(path, LastSymlink::kFollow)), mode, permissions);
  }
  Result<> make_directory(const std::string& path, uint32_t permissions) override {
    const Place place = TRY(find(path, LastSymlink::kStay));
    if (place.node != nullptr && place.node->type == port::FileType::kDirectory) return {};
    return put(place, platter_.make(port::FileType::kDirectory, permissions));
  }
  Result<> make_symlink(const std::string& target, const std::string& path) override {
    Node& node = platter_.make(port::FileType::kSymlink, 0777);
    node.target = target;
    return put(TRY(find(path, LastSymlink::kStay)), node);
  }
  Result<> make_hard_link(const std::string& existing, const std::string& path) override {
    Node* node = TRY(present(existing, LastSymlink::kStay));
    return put(TRY(find(path, LastSymlink::kStay)), *node);
  }
  Result<> make_node(const std::string& path,
                     port::FileType type,
                     uint32_t permissions,
                     uint64_t device) override {
    Node& node = platter_.make(type, permissions);
    node.device = device;
    return put(TRY(find(path, LastSymlink::kStay)), node);
  }
  Result<> set_owner(const std::string& path, uint32_t uid, uint32_t gid) override {
    Node* node = TRY(present(path, LastSymlink::kStay));
    node->uid = uid;
    node->gid = gid;
    return {};
  }
  Result<> set_mode(const std::string& path, uint32_t permissions) override {
    TRY(present(path, LastSymlink::kFollow))->mode = permissions;
    return {};
  }
  Result<> set_modified(const std::string& path, Wall at) override {
    TRY(present(path, LastSymlink::kStay))->modified = at;
    return {};
  }
  Result<> set_attribute(const std::string& path,
                         const std::string& name,
                         std::string_view value) override {
    TRY(present(path, LastSymlink::kStay))->attributes[name] = value;
    return {};
  }
  Result<> rename(const std::string& from, const std::string& to) override {
    const Place old = TRY(find(from, LastSymlink::kStay));
    const Place target = TRY(find(to, LastSymlink::kStay));
    if (old.node == nullptr || old.directory == nullptr || target.directory == nullptr) {
      return fail(Code::kNotFound, join({from, ": cannot be renamed"}));
    }
    return outcome(platter_.move({old.directory, old.name}, {target.directory, target.name}), from);
  }
  Result<> remove(const std::string& path) override {
    auto found = find(path, LastSymlink::kStay);
    if (!found && found.error().code == Code::kNotFound) return {};
    return remove_place(platter_, TRY(std::move(found)));
  }
  Result<port::FileStat> stat(const std::string& path) override {
    return stat_of(*TRY(present(path, LastSymlink::kStay)));
  }
  Result<std::string> read_link(const std::string& path) override {
    const Node* node = TRY(present(path, LastSymlink::kStay));
    if (node->type != port::FileType::kSymlink) return fail(Code::kIo, path + ": not a symlink");
    return node->target;
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    const Node* node = TRY(present(path, LastSymlink::kFollow));
    if (node->type != port::FileType::kDirectory)
      return fail(Code::kIo, path + ": not a directory");
    return names_in(*node);
  }

 private:
  Result<Place> find(const std::string& path, LastSymlink last) {
    if (!platter_.powered()) return trouble_error(Trouble::kPower, path);
    return find_place(root_, path, last, Reach::kBeneath);
  }
  Result<Node*> present(const std::string& path, LastSymlink last) {
    const Place place = TRY(find(path, last));
    if (place.node == nullptr) return fail(Code::kNotFound, path + ": no such file or directory");
    return place.node;
  }
  Result<> put(const Place& place, Node& node) {
    if (place.directory == nullptr || place.node != nullptr) {
      return fail(Code::kAlreadyExists, join({place.name, ": file exists"}));
    }
    return outcome(platter_.set_entry(*place.directory, place.name, &node), place.name);
  }

  Platter& platter_;
  Node& root_;
};

}  // namespace

std::unique_ptr<port::Tree> new_tree(Platter& platter, Node& root) {
  return std::make_unique<SimTree>(platter, root);
}

}  // namespace coracle::port_sim
