// SPDX-License-Identifier: GPL-2.0-or-later
// Makes tar archives and images for tests.
#pragma once

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include <zlib.h>

#include "base/bytes.h"
#include "pki/digest.h"

namespace coracle::node {

inline std::string tar_entry(const std::string& name,
                             std::string_view content,
                             char type = '0',
                             const std::string& link = {},
                             int mode = 0644) {
  std::string block(512, '\0');
  std::memcpy(block.data(), name.data(), std::min<size_t>(name.size(), 100));
  std::snprintf(block.data() + 100, 8, "%07o", static_cast<unsigned>(mode));
  std::snprintf(block.data() + 108, 8, "%07o", 0u);
  std::snprintf(block.data() + 116, 8, "%07o", 0u);
  std::snprintf(block.data() + 124, 12, "%011o", static_cast<unsigned>(content.size()));
  std::snprintf(block.data() + 136, 12, "%011o", 1'000'000u);
  block[156] = type;
  std::memcpy(block.data() + 157, link.data(), std::min<size_t>(link.size(), 100));
  std::memcpy(block.data() + 257, "ustar\00000", 8);
  std::memset(block.data() + 148, ' ', 8);
  unsigned sum = 0;
  for (const char c : block)
    sum += static_cast<uint8_t>(c);
  std::snprintf(block.data() + 148, 8, "%06o", sum);
  block += content;
  block.resize((block.size() + 511) / 512 * 512, '\0');
  return block;
}

inline std::string tar_end(std::string entries) {
  return std::move(entries) + std::string(1024, '\0');
}

inline std::string gzip(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

inline std::string digest_of(std::string_view bytes) {
  return "sha256:" + hex(pki::sha256(bytes));
}

inline std::string image_config(const std::string& diff_id) {
  return R"({"architecture":"amd64","config":{"Cmd":["/bin/sh"],"Env":["FOO=image"]},)"
         R"("rootfs":{"type":"layers","diff_ids":[")" +
         diff_id + R"("]}})";
}

inline std::string docker_archive(const std::string& name, const std::string& layer) {
  const std::string config = image_config(digest_of(layer));
  return tar_end(tar_entry("config.json", config) + tar_entry("l/layer.tar", layer) +
                 tar_entry("manifest.json", R"([{"Config":"config.json","RepoTags":[")" + name +
                                                R"("],"Layers":["l/layer.tar"]}])"));
}

inline std::string busybox_archive() {
  return docker_archive("busybox:latest", tar_end(tar_entry("bin/", "", '5', {}, 0755) +
                                                  tar_entry("bin/sh", "#!", '0', {}, 0755)));
}

}  // namespace coracle::node
