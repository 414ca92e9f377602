// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/image_archive.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "base/bytes.h"
#include "json/tree.h"
#include "node/image_name.h"
#include "node/layer.h"
#include "node/source.h"
#include "node/tar.h"

namespace coracle::node {

namespace {

constexpr size_t kArchiveEntriesMax = 16'384;
constexpr size_t kLinkDepthMax = 4;
constexpr size_t kIndexDepthMax = 3;
constexpr std::string_view kBlobs = "blobs/sha256/";

struct Part {
  uint64_t offset = 0;
  uint64_t size = 0;
  std::string link;  // docker save names equal layers once and links to them
};

std::string plain_name(std::string_view name) {
  while (name.starts_with("./"))
    name.remove_prefix(2);
  while (name.ends_with('/'))
    name.remove_suffix(1);
  return std::string(name);
}

std::string resolve_link(const std::string& from, const std::string& target) {
  std::vector<std::string_view> parts = split(from, '/');
  parts.pop_back();
  for (const std::string_view part : split(target, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..")
      parts.push_back(part);
    else if (!parts.empty())
      parts.pop_back();
  }
  std::string path;
  for (const std::string_view part : parts) {
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

class Archive {
 public:
  Archive(port::Disk& disk, std::string root, std::string_view architecture)
      : disk_(disk),
        root_(std::move(root)),
        architecture_(architecture) {}
  Result<std::vector<LoadedImage>> load(const std::string& path);

 private:
  Result<> open(const std::string& path);
  Result<> gunzip_whole(const std::string& path);
  Result<> index_parts();
  const Part* find(std::string name) const;
  Result<std::string> text_of(const std::string& name);
  Result<std::string> blob_text(std::string_view digest);
  Result<> load_docker();
  Result<> load_oci();
  Result<> load_index(json::Node index, std::string_view inherited, size_t depth);
  Result<> load_manifest(std::string_view digest, std::string_view name);
  Result<> add_image(const std::string& config,
                     const std::vector<std::string>& layer_parts,
                     std::vector<std::string> names);
  Result<> unpack(const Part& part, const std::string& part_name, const std::string& diff_id);
  Result<> unpack_into(const std::string& directory,
                       const Part& part,
                       const std::string& part_name,
                       const std::string& diff_id);

  port::Disk& disk_;
  std::string root_;
  std::string_view architecture_;
  std::unique_ptr<port::File> file_;
  std::map<std::string, Part> parts_;
  std::vector<LoadedImage> images_;
};

Result<std::vector<LoadedImage>> Archive::load(const std::string& path) {
  TRY(open(path));
  TRY(index_parts());
  if (find("manifest.json") != nullptr) {
    TRY(load_docker());
  } else if (find("index.json") != nullptr) {
    TRY(load_oci());
  } else {
    return fail(Code::kBadRequest,
                "neither a docker archive nor an OCI layout: no manifest.json, no index.json");
  }
  if (images_.empty()) return fail(Code::kBadRequest, "the archive holds no image");
  return std::move(images_);
}

Result<> Archive::open(const std::string& path) {
  file_ = TRY(disk_.open(path, port::OpenMode::kRead));
  std::array<char, 4> head{};
  const size_t got = TRY(file_->read_at(0, head.data(), head.size()));
  const std::string_view start(head.data(), got);
  if (start == "\x28\xb5\x2f\xfd")
    return fail(Code::kUnsupportedMediaType,
                "zstd archives are not supported; use gzip or plain tar");
  return is_gzip(start) ? gunzip_whole(path) : Result<>();
}

// Parts of the archive are needed in an order of their own, so a packed one is unpacked to the disk
// first.
Result<> Archive::gunzip_whole(const std::string& path) {
  const std::string plain = root_ + "/tmp/archive.tar";
  const std::unique_ptr<port::File> out = TRY(disk_.open(plain, port::OpenMode::kTruncate));
  FileSource packed(*file_, 0, TRY(file_->size()));
  GunzipSource source(packed);
  HashedSource bounded(source, kImageBytesMax);
  std::array<char, 32768> buffer;
  while (true) {
    const size_t got = TRY(bounded.read(buffer.data(), buffer.size()).with(path));
    if (got == 0) break;
    TRY(out->append({buffer.data(), got}));
  }
  file_ = TRY(disk_.open(plain, port::OpenMode::kRead));
  return {};
}

Result<> Archive::index_parts() {
  FileSource source(*file_, 0, TRY(file_->size()));
  TarReader tar(source);
  TarEntry entry;
  while (TRY(tar.next(entry))) {
    if (parts_.size() >= kArchiveEntriesMax)
      return fail(Code::kTooLarge, "archive with too many entries");
    const std::string name = plain_name(entry.name);
    if (entry.type == TarType::kFile) parts_[name] = {entry.offset, entry.size, {}};
    if (entry.type == TarType::kSymlink) parts_[name] = {0, 0, resolve_link(name, entry.link)};
    if (entry.type == TarType::kHardLink) parts_[name] = {0, 0, plain_name(entry.link)};
  }
  return {};
}

const Part* Archive::find(std::string name) const {
  for (size_t depth = 0; depth < kLinkDepthMax; ++depth) {
    const auto at = parts_.find(name);
    if (at == parts_.end()) return nullptr;
    if (at->second.link.empty()) return &at->second;
    name = at->second.link;
  }
  return nullptr;
}

Result<std::string> Archive::text_of(const std::string& name) {
  const Part* part = find(name);
  if (part == nullptr) return fail(Code::kCorrupt, join({"the archive lacks ", name}));
  FileSource source(*file_, part->offset, part->size);
  return read_whole(source, kImageMetaBytesMax);
}

std::string blob_name(std::string_view digest) {
  return join({kBlobs, digest.starts_with("sha256:") ? digest.substr(7) : digest});
}

Result<std::string> Archive::blob_text(std::string_view digest) {
  std::string text = TRY(text_of(blob_name(digest)));
  if (join({"sha256:", hex(pki::sha256(text))}) != digest)
    return fail(Code::kCorrupt, join({"blob ", digest, " does not match its digest"}));
  return text;
}

Result<> Archive::load_docker() {
  json::Tree tree;
  const std::string text = TRY(text_of("manifest.json"));
  const json::Node manifest = TRY(tree.parse(text).with("manifest.json"));
  for (const json::Node image : manifest) {
    std::vector<std::string> layers;
    for (const json::Node layer : image["Layers"])
      layers.emplace_back(layer.string());
    std::vector<std::string> names;
    for (const json::Node tag : image["RepoTags"])
      names.push_back(TRY(normal_image_name(tag.string())));
    const std::string config_name(image["Config"].string());
    const std::string config = TRY(text_of(config_name));
    TRY(add_image(config, layers, std::move(names)));
  }
  return {};
}

Result<> Archive::load_oci() {
  json::Tree tree;
  const std::string text = TRY(text_of("index.json"));
  const json::Node index = TRY(tree.parse(text).with("index.json"));
  return load_index(index, {}, 0);
}

std::string_view name_in(json::Node descriptor) {
  const json::Node notes = descriptor["annotations"];
  const std::string_view full = notes["io.containerd.image.name"].string();
  return full.empty() ? notes["org.opencontainers.image.ref.name"].string() : full;
}

Result<> Archive::load_index(json::Node index, std::string_view inherited, size_t depth) {
  if (depth >= kIndexDepthMax) return fail(Code::kBadRequest, "image index nested too deep");
  for (const json::Node entry : index["manifests"]) {
    const std::string_view media = entry["mediaType"].string();
    const std::string_view wanted = entry["platform"]["architecture"].string(architecture_);
    const std::string_view own_name = name_in(entry);
    const std::string_view name = own_name.empty() ? inherited : own_name;
    if (wanted != architecture_) continue;  // "unknown" marks attestations
    if (media.find("index") != std::string_view::npos ||
        media.find("manifest.list") != std::string_view::npos) {
      json::Tree tree;
      const std::string text = TRY(blob_text(entry["digest"].string()));
      const json::Node nested = TRY(tree.parse(text));
      TRY(load_index(nested, name, depth + 1));
    } else {
      TRY(load_manifest(entry["digest"].string(), name));
    }
  }
  return {};
}

Result<> Archive::load_manifest(std::string_view digest, std::string_view name) {
  json::Tree tree;
  const std::string text = TRY(blob_text(digest));
  const json::Node manifest = TRY(tree.parse(text));
  std::vector<std::string> layers;
  for (const json::Node layer : manifest["layers"])
    layers.push_back(blob_name(layer["digest"].string()));
  std::vector<std::string> names;
  // skopeo writes "latest" when it was given no name.
  if (!name.empty() && name != "latest") names.push_back(TRY(normal_image_name(name)));
  const std::string config = TRY(blob_text(manifest["config"]["digest"].string()));
  return add_image(config, layers, std::move(names));
}

Result<> Archive::add_image(const std::string& config,
                            const std::vector<std::string>& layer_parts,
                            std::vector<std::string> names) {
  if (images_.size() >= kImagesPerArchiveMax)
    return fail(Code::kTooLarge, "archive with too many images");
  if (layer_parts.size() > kImageLayersMax)
    return fail(Code::kTooLarge, "image with too many layers");
  json::Tree tree;
  const json::Node parsed = TRY(tree.parse(config).with("image config"));
  const json::Node diff_ids = parsed["rootfs"]["diff_ids"];
  if (diff_ids.size() != layer_parts.size())
    return fail(Code::kCorrupt, "image config and manifest differ in the number of layers");
  LoadedImage image;
  image.id = join({"sha256:", hex(pki::sha256(config))});
  image.config = config;
  image.names = std::move(names);
  size_t index = 0;
  for (const json::Node diff_id : diff_ids) {
    const std::string& part_name = layer_parts[index++];
    const Part* part = find(part_name);
    const std::string digest(diff_id.string());
    if (part == nullptr) return fail(Code::kCorrupt, join({"the archive lacks layer ", part_name}));
    TRY(unpack(*part, part_name, digest).with(join({"layer ", digest})));
    image.layers.push_back(layer_name(digest));
    image.bytes += part->size;
  }
  TRY(disk_.replace_file(config_path(root_, image.id), config, 0600));
  images_.push_back(std::move(image));
  return {};
}

Result<> Archive::unpack(const Part& part,
                         const std::string& part_name,
                         const std::string& diff_id) {
  const std::string name = layer_name(diff_id);
  if (name.empty()) return fail(Code::kBadRequest, "diff ID is not a sha256 digest");
  const std::string final_path = join({root_, "/layers/", name});
  if (disk_.stat(final_path)) return {};
  const std::string fresh = join({root_, "/tmp/", name});
  TRY(disk_.remove_tree(fresh));
  TRY(disk_.make_directories(fresh, 0755));
  Result<> unpacked = unpack_into(fresh, part, part_name, diff_id);
  if (unpacked) unpacked = disk_.rename(fresh, final_path);
  if (unpacked) return disk_.sync_directory(root_ + "/layers");
  static_cast<void>(disk_.remove_tree(fresh));
  return unpacked;
}

Result<> Archive::unpack_into(const std::string& directory,
                              const Part& part,
                              const std::string& part_name,
                              const std::string& diff_id) {
  std::array<char, 4> head{};
  const size_t got =
      TRY(file_->read_at(part.offset, head.data(), std::min<uint64_t>(4, part.size)));
  if (std::string_view(head.data(), got) == "\x28\xb5\x2f\xfd")
    return fail(Code::kUnsupportedMediaType, "zstd layers are not supported");
  FileSource raw(*file_, part.offset, part.size);
  HashedSource packed(raw, kImageBytesMax);
  GunzipSource gunzip(packed);
  const bool is_packed = is_gzip({head.data(), got});
  HashedSource plain(is_packed ? static_cast<ByteSource&>(gunzip) : packed, kImageBytesMax);
  const std::unique_ptr<port::Tree> tree = TRY(disk_.tree(directory));
  TRY(tree->set_mode(".", 0755));
  const std::vector<std::string> written = TRY(unpack_layer(plain, *tree));
  TRY(plain.drain());
  TRY(packed.drain());
  if (plain.digest() != diff_id) return fail(Code::kCorrupt, "content does not match the diff ID");
  if (part_name.starts_with(kBlobs) &&
      packed.digest() != "sha256:" + part_name.substr(kBlobs.size()))
    return fail(Code::kCorrupt, "blob does not match its digest");
  for (const std::string& path : written) {
    const Result<port::FileStat> found = tree->stat(path.empty() ? "." : path);
    if (!found || found->type != port::FileType::kDirectory) continue;  // became something else
    TRY(disk_.sync_directory(join({directory, "/", path})));
  }
  TRY(disk_.sync_directory(directory));
  return disk_.sync_directory(root_ + "/tmp");  // its name there is settled before it moves
}

}  // namespace

std::string layer_name(std::string_view diff_id) {
  if (!diff_id.starts_with("sha256:") || diff_id.size() != 7 + 64) return {};
  const std::string_view digits = diff_id.substr(7);
  const bool is_hex = std::all_of(digits.begin(), digits.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  return is_hex ? std::string(digits.substr(0, 32)) : std::string();
}

std::string config_path(const std::string& root, std::string_view id) {
  return join({root, "/config/", id.starts_with("sha256:") ? id.substr(7) : id, ".json"});
}

Result<std::vector<LoadedImage>> load_archive(port::Disk& disk,
                                              const std::string& root,
                                              const std::string& path,
                                              std::string_view architecture) {
  Result<std::vector<LoadedImage>> loaded = Archive(disk, root, architecture).load(path);
  static_cast<void>(disk.remove(root + "/tmp/archive.tar"));
  return loaded;
}

}  // namespace coracle::node
