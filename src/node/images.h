// SPDX-License-Identifier: GPL-2.0-or-later
// The node's images. The table is in memory; changes go to the disk in jobs on the unpack lane,
// refs.json last, so that an image is listed only when all of it is there. Registries: `pull` is
// the place where a client for them will stand; today it refuses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/tree.h"
#include "node/image_archive.h"
#include "port/disk.h"

namespace coracle::node {

inline constexpr size_t kImagesMax = 256;

struct Image {
  std::string id;
  std::vector<std::string> names;   // may be empty: an untagged image, known by its id
  std::vector<std::string> layers;  // under layers/, lowest first
  uint64_t bytes = 0;
  // From the config:
  std::vector<std::string> env;  // "NAME=value"
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::string work_directory;
  std::string user;
  std::string stop_signal;
};

class ImageListener {
 public:
  // The names (or ids) that the archive brought.
  virtual void on_image_loaded(uint64_t token, Result<std::vector<std::string>> names) = 0;
  virtual void on_image_removed(uint64_t token, Result<> removed) = 0;

 protected:
  ~ImageListener() = default;
};

class Images {
 public:
  Images(port::Disk& disk, port::Lane& lane, std::string root, std::string architecture);
  ~Images();
  Images(const Images&) = delete;
  Images& operator=(const Images&) = delete;

  Result<> open();  // reads the table; what is incomplete is left out
  void load(std::string path, ImageListener& listener, uint64_t token);
  // By name or id; a name is taken from the image, which goes with its last name. The caller knows
  // it is unused.
  void remove(const std::string& name, ImageListener& listener, uint64_t token);
  void forget(ImageListener& listener);  // before it is destroyed

  const std::vector<Image>& all() const { return images_; }
  const Image* find(std::string_view name)
      const;  // any form of a name, "sha256:<hex>", or 12 hex digits and more
  std::string layer_path(const std::string& layer) const;
  uint64_t version() const { return version_; }  // moves with every change of the table
  static Error pull_refused(std::string_view name);

 private:
  class LoadJob;
  class SaveJob;
  struct Answer {
    ImageListener* listener = nullptr;
    uint64_t token = 0;
    bool removal = false;
    std::vector<std::string> names;
  };
  void loaded(Result<std::vector<LoadedImage>> images, Answer answer);
  void saved(Result<> written, Answer answer);
  void merge(LoadedImage loaded);
  void answer(const Answer& to, Error error);
  std::string table_text() const;
  std::vector<std::string> litter_without(const Image& image) const;

  port::Disk& disk_;
  port::Lane& lane_;
  std::string root_;
  std::string architecture_;
  std::vector<Image> images_;
  std::vector<LoadJob*> loading_;
  std::vector<SaveJob*> saving_;
  uint64_t version_ = 0;
};

// Fills in what a container needs from the text of an image config.
Result<> read_image_config(std::string_view text, Image& image);

}  // namespace coracle::node
