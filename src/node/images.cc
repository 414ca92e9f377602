// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/images.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "json/writer.h"
#include "node/image_name.h"

namespace coracle::node {

namespace {

constexpr size_t kShortIdMin = 12;
std::vector<std::string> strings_of(json::Node list) {
  std::vector<std::string> all;
  for (const json::Node item : list)
    all.emplace_back(item.string());
  return all;
}

void write_list(json::Writer& out, std::string_view name, const std::vector<std::string>& list) {
  out.key(name);
  out.begin_array();
  for (const std::string& item : list)
    out.value(std::string_view(item));
  out.end_array();
}

void drop_name(std::vector<Image>& images, const std::string& name) {
  for (Image& image : images)
    std::erase(image.names, name);
}

}  // namespace

// Jobs know the store only while it lives: its destructor cuts them loose.
class Images::LoadJob final : public port::Job {
 public:
  LoadJob(Images& images, std::string path, Answer answer)
      : disk_(images.disk_),
        root_(images.root_),
        architecture_(images.architecture_),
        path_(std::move(path)),
        answer_(std::move(answer)),
        images_(&images) {
    images.loading_.push_back(this);
  }
  ~LoadJob() override {
    if (images_ != nullptr) std::erase(images_->loading_, this);
  }
  void run() override { result_ = load_archive(disk_, root_, path_, architecture_); }
  void done() override {
    if (images_ == nullptr) return;
    std::erase(images_->loading_, this);
    std::exchange(images_, nullptr)->loaded(std::move(result_), std::move(answer_));
  }
  void cut() { images_ = nullptr; }
  void forget(ImageListener& listener) {
    if (answer_.listener == &listener) answer_.listener = nullptr;
  }

 private:
  port::Disk& disk_;
  std::string root_;
  std::string architecture_;
  std::string path_;
  Answer answer_;
  Images* images_;
  Result<std::vector<LoadedImage>> result_{fail(Code::kInternal, "not run")};
};

// Writes the table as it was when the job was made, then removes what nothing names any more.
class Images::SaveJob final : public port::Job {
 public:
  SaveJob(Images& images, std::vector<std::string> litter, Answer answer)
      : disk_(images.disk_),
        path_(images.root_ + "/refs.json"),
        text_(images.table_text()),
        litter_(std::move(litter)),
        answer_(std::move(answer)),
        images_(&images) {
    images.saving_.push_back(this);
  }
  ~SaveJob() override {
    if (images_ != nullptr) std::erase(images_->saving_, this);
  }
  void run() override {
    result_ = disk_.replace_file(path_, text_, 0600);
    for (size_t i = 0; result_ && i < litter_.size(); ++i)
      result_ = disk_.remove_tree(litter_[i]);
  }
  void done() override {
    if (images_ == nullptr) return;
    std::erase(images_->saving_, this);
    std::exchange(images_, nullptr)->saved(std::move(result_), std::move(answer_));
  }
  void cut() { images_ = nullptr; }
  void forget(ImageListener& listener) {
    if (answer_.listener == &listener) answer_.listener = nullptr;
  }

 private:
  port::Disk& disk_;
  std::string path_;
  std::string text_;
  std::vector<std::string> litter_;
  Answer answer_;
  Images* images_;
  Result<> result_;
};

Images::Images(port::Disk& disk, port::Lane& lane, std::string root, std::string architecture)
    : disk_(disk),
      lane_(lane),
      root_(std::move(root)),
      architecture_(std::move(architecture)) {}

Images::~Images() {
  for (LoadJob* job : loading_)
    job->cut();
  for (SaveJob* job : saving_)
    job->cut();
}

void Images::forget(ImageListener& listener) {
  for (LoadJob* job : loading_)
    job->forget(listener);
  for (SaveJob* job : saving_)
    job->forget(listener);
}

Result<> Images::open() {
  TRY(disk_.make_directories(root_ + "/layers", 0711));
  TRY(disk_.make_directories(root_ + "/config", 0700));
  TRY(disk_.remove_tree(root_ + "/tmp"));
  TRY(disk_.make_directories(root_ + "/tmp", 0700));
  const Result<std::string> text = disk_.read_file(root_ + "/refs.json");
  if (!text && text.error().code == Code::kNotFound) return {};
  if (!text) return text.error();
  json::Tree tree;
  const json::Node table = TRY(tree.parse(*text).with("image table"));
  for (const json::Node row : table["images"]) {
    Image image;
    image.id = row["id"].string();
    image.names = strings_of(row["names"]);
    image.layers = strings_of(row["layers"]);
    image.bytes = static_cast<uint64_t>(row["size"].integer());
    const Result<std::string> config = disk_.read_file(config_path(root_, image.id));
    bool complete = config && read_image_config(*config, image);
    for (const std::string& layer : image.layers)
      complete = complete && disk_.stat(layer_path(layer)).has_value();
    if (complete)
      images_.push_back(std::move(image));
    else
      LOG(kWarn, "node: left out an incomplete image", kv("id", row["id"].string()));
  }
  ++version_;
  return {};
}

void Images::load(std::string path, ImageListener& listener, uint64_t token) {
  lane_.submit(
      std::make_unique<LoadJob>(*this, std::move(path), Answer{&listener, token, false, {}}));
}

void Images::loaded(Result<std::vector<LoadedImage>> images, Answer to) {
  if (!images) return answer(to, std::move(images).error());
  if (images_.size() + images->size() > kImagesMax)
    return answer(to, fail(Code::kTooManyRequests, "the image store is full; remove images first"));
  for (LoadedImage& image : *images) {
    for (const std::string& name : image.names)
      to.names.push_back(name);
    if (image.names.empty()) to.names.push_back(image.id);
    merge(std::move(image));
  }
  lane_.submit(std::make_unique<SaveJob>(*this, std::vector<std::string>(), std::move(to)));
}

void Images::merge(LoadedImage loaded) {
  for (const std::string& name : loaded.names)
    drop_name(images_, name);
  const auto same = std::find_if(images_.begin(), images_.end(),
                                 [&](const Image& image) { return image.id == loaded.id; });
  Image& image = same != images_.end() ? *same : images_.emplace_back();
  image.id = loaded.id;
  image.layers = std::move(loaded.layers);
  image.bytes = loaded.bytes;
  for (std::string& name : loaded.names)
    image.names.push_back(std::move(name));
  if (!read_image_config(loaded.config, image))
    LOG(kWarn, "node: image config not read", kv("id", image.id));
  ++version_;
}

void Images::saved(Result<> written, Answer to) {
  if (to.listener == nullptr) return;
  if (!written) return answer(to, std::move(written).error());
  if (to.removal)
    to.listener->on_image_removed(to.token, {});
  else
    to.listener->on_image_loaded(to.token, std::move(to.names));
}

void Images::answer(const Answer& to, Error error) {
  if (to.listener == nullptr) return;
  if (to.removal)
    to.listener->on_image_removed(to.token, std::move(error));
  else
    to.listener->on_image_loaded(to.token, std::move(error));
}

void Images::remove(const std::string& name, ImageListener& listener, uint64_t token) {
  Answer to{&listener, token, true, {}};
  const Image* found = find(name);
  if (found == nullptr)
    return answer(to, fail(Code::kNotFound, join({"image \"", name, "\" not found"})));
  if (!loading_.empty())
    return answer(to, fail(Code::kConflict, "an image is being loaded; try again when it is done"));
  const Result<std::string> normal = normal_image_name(name);
  Image& image = images_[static_cast<size_t>(found - images_.data())];
  const bool by_name = normal && std::erase(image.names, *normal) > 0;
  std::vector<std::string> litter;
  if (!by_name || image.names.empty()) {
    litter = litter_without(image);
    images_.erase(images_.begin() + (found - images_.data()));
  }
  ++version_;
  lane_.submit(std::make_unique<SaveJob>(*this, std::move(litter), std::move(to)));
}

std::vector<std::string> Images::litter_without(const Image& image) const {
  std::vector<std::string> litter = {config_path(root_, image.id)};
  for (const std::string& layer : image.layers) {
    const bool shared = std::any_of(images_.begin(), images_.end(), [&](const Image& other) {
      return &other != &image &&
             std::find(other.layers.begin(), other.layers.end(), layer) != other.layers.end();
    });
    if (!shared) litter.push_back(layer_path(layer));
  }
  return litter;
}

const Image* Images::find(std::string_view name) const {
  const std::string_view digits = name.starts_with("sha256:") ? name.substr(7) : name;
  const Result<std::string> normal = normal_image_name(name);
  for (const Image& image : images_) {
    if (normal && std::find(image.names.begin(), image.names.end(), *normal) != image.names.end())
      return &image;
    if (digits.size() >= kShortIdMin && std::string_view(image.id).substr(7).starts_with(digits))
      return &image;
  }
  return nullptr;
}

std::string Images::layer_path(const std::string& layer) const {
  return join({root_, "/layers/", layer});
}

std::string Images::table_text() const {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.key("images");
  out.begin_array();
  for (const Image& image : images_) {
    out.begin_object();
    out.member("id", std::string_view(image.id));
    out.member("size", static_cast<int64_t>(image.bytes));
    write_list(out, "names", image.names);
    write_list(out, "layers", image.layers);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return text;
}

Error Images::pull_refused(std::string_view name) {
  const Result<std::string> normal = normal_image_name(name);
  return fail(
      Code::kUnavailable,
      join({"failed to pull \"", normal ? std::string_view(*normal) : name,
            "\": no registry client is built in; load the image with `coracle image load`"}));
}

Result<> read_image_config(std::string_view text, Image& image) {
  json::Tree tree;
  const json::Node config = TRY(tree.parse(text))["config"];
  image.env = strings_of(config["Env"]);
  image.entrypoint = strings_of(config["Entrypoint"]);
  image.command = strings_of(config["Cmd"]);
  image.work_directory = config["WorkingDir"].string();
  image.user = config["User"].string();
  image.stop_signal = config["StopSignal"].string();
  return {};
}

}  // namespace coracle::node
