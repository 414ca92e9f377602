// SPDX-License-Identifier: GPL-2.0-or-later
// Reads an image archive (docker save or OCI layout, gzip or not) and unpacks what is new into the
// image store's directory. Runs on the unpack lane; touches no memory but its own.
//
// Disk format of the store, under <data>/images:
//   refs.json            {"images":[{"id","size","names":[],"layers":[]}]}, written last: what it
//   does not name is litter config/<hex>.json    the image's config blob, named by its digest (the
//   image ID) layers/<32 hex>/     one unpacked layer, named by the start of its diff ID; short
//   because overlayfs takes one page
//                        of options. Renamed into place when complete and synced.
//   tmp/                 emptied at every start
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "port/disk.h"

namespace coracle::node {

inline constexpr size_t kImageLayersMax = 48;
inline constexpr size_t kImagesPerArchiveMax = 64;
inline constexpr size_t kImageMetaBytesMax = 4 * 1024 * 1024;
inline constexpr uint64_t kImageBytesMax = uint64_t{8} << 30;

struct LoadedImage {
  std::string id;                   // "sha256:<hex>" of the config
  std::string config;               // its text
  std::vector<std::string> layers;  // names under layers/, lowest first
  std::vector<std::string> names;   // normal form
  uint64_t bytes = 0;
};

std::string layer_name(
    std::string_view diff_id);  // 32 hex digits; empty if it is not a sha256 digest
std::string config_path(const std::string& root, std::string_view id);

// `root` is the store's directory. `architecture`: which entry of a multi-platform index is taken
// ("amd64").
Result<std::vector<LoadedImage>> load_archive(port::Disk& disk,
                                              const std::string& root,
                                              const std::string& path,
                                              std::string_view architecture);

}  // namespace coracle::node
