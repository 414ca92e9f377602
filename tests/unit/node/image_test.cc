// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "node/image_name.h"
#include "node/images.h"
#include "node/layer.h"
#include "node/tar.h"
#include "port/sim/world.h"
#include "tests/unit/node/tar_writer.h"

namespace coracle::node {
namespace {

TEST(ImageName, IsMadeFullAsDistributionDoes) {
  const std::pair<const char*, const char*> cases[] = {
      {"busybox", "docker.io/library/busybox:latest"},
      {"busybox:1.36", "docker.io/library/busybox:1.36"},
      {"me/app", "docker.io/me/app:latest"},
      {"docker.io/busybox", "docker.io/library/busybox:latest"},
      {"localhost/app:x", "localhost/app:x"},
      {"reg.example:5000/a/b", "reg.example:5000/a/b:latest"},
      {"busybox:1@sha256:0123456789012345678901234567890123456789012345678901234567890123",
       "docker.io/library/"
       "busybox@sha256:0123456789012345678901234567890123456789012345678901234567890123"}};
  for (const auto& [name, full] : cases)
    EXPECT_EQ(*normal_image_name(name), full);
  for (const char* name :
       {"", "UPPER", "a b", "a//b", "-a", "a:", "a:b:c", "a@sha256:12", "a.-b", "x/../y", "a___b"})
    EXPECT_FALSE(normal_image_name(name)) << name;
}

class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<size_t> read(char* out, size_t bytes) override {
    const size_t part = std::min({bytes, bytes_.size() - at_, size_t{700}});
    std::memcpy(out, bytes_.data() + at_, part);
    at_ += part;
    return part;
  }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

TEST(Tar, ReadsLongNamesPaxHeadersAndSkipsContent) {
  const std::string long_name = "deep/" + std::string(150, 'x');
  const std::string pax = "25 path=named/by/pax.txt\n";
  StringSource source(tar_end(tar_entry("././@LongLink", long_name + '\0', 'L') +
                              tar_entry("cut", "one") + tar_entry("PaxHeader", pax, 'x') +
                              tar_entry("old", std::string(1300, 'y')) +
                              tar_entry("link", "", '2', "target")));
  TarReader tar(source);
  TarEntry entry;
  ASSERT_TRUE(*tar.next(entry));
  EXPECT_EQ(entry.name, long_name);
  EXPECT_EQ(entry.size, 3u);
  ASSERT_TRUE(*tar.next(entry));
  EXPECT_EQ(entry.name, "named/by/pax.txt");
  EXPECT_EQ(entry.size, 1300u);
  ASSERT_TRUE(*tar.next(entry));
  EXPECT_EQ(entry.type, TarType::kSymlink);
  EXPECT_EQ(entry.link, "target");
  EXPECT_FALSE(*tar.next(entry));
}

TEST(Tar, RefusesDamage) {
  std::string bytes = tar_end(tar_entry("a", "content"));
  bytes[3] ^= 1;
  StringSource damaged(bytes);
  TarEntry entry;
  EXPECT_FALSE(TarReader(damaged).next(entry));
  StringSource cut(tar_entry("a", std::string(2000, 'z')).substr(0, 900));
  TarReader tar(cut);
  ASSERT_TRUE(tar.next(entry));
  EXPECT_FALSE(tar.next(entry));
}

class ImageTest : public ::testing::Test, protected ImageListener {
 protected:
  void on_image_loaded(uint64_t, Result<std::vector<std::string>> names) override {
    said_ = names ? (names->empty() ? "" : names->front()) : names.error().message;
    ++answers_;
  }
  void on_image_removed(uint64_t, Result<> removed) override {
    said_ = removed ? "removed" : removed.error().message;
    ++answers_;
  }
  std::string load(const std::string& bytes) {
    EXPECT_TRUE(machine_.disk().write_file("/in.tar", bytes, 0600));
    const int before = answers_;
    images_.load("/in.tar", *this, 1);
    world_.run_until([&] { return answers_ > before; }, seconds(10));
    return said_;
  }
  std::string remove(const std::string& name) {
    const int before = answers_;
    images_.remove(name, *this, 1);
    world_.run_until([&] { return answers_ > before; }, seconds(10));
    return said_;
  }

  port_sim::World world_{7};
  port_sim::Machine& machine_ = world_.machine();
  port::Disk& disk_ = machine_.disk();
  std::unique_ptr<port::Lane> lane_ = machine_.lane();
  Images images_{machine_.disk(), *lane_, "/data/images", "amd64"};
  std::string said_;
  int answers_ = 0;
};

TEST_F(ImageTest, LoadsAnArchiveAndFindsItAgainAfterARestart) {
  ASSERT_TRUE(images_.open());
  EXPECT_EQ(load(busybox_archive()), "docker.io/library/busybox:latest");
  const Image* image = images_.find("busybox");
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(image->command, std::vector<std::string>{"/bin/sh"});
  EXPECT_EQ(*disk_.read_file(images_.layer_path(image->layers[0]) + "/bin/sh"), "#!");
  EXPECT_EQ(images_.find(image->id.substr(7, 12)), image);
  Images again(machine_.disk(), *lane_, "/data/images", "amd64");
  ASSERT_TRUE(again.open());
  EXPECT_NE(again.find("docker.io/library/busybox:latest"), nullptr);
}

TEST_F(ImageTest, UnpacksGzipInsideAndOutside) {
  ASSERT_TRUE(images_.open());
  const std::string layer = tar_end(tar_entry("f", "text"));
  const std::string config = image_config(digest_of(layer));
  const std::string packed = gzip(layer);
  const std::string archive = tar_end(
      tar_entry("c.json", config) + tar_entry("layer", packed) +
      tar_entry("manifest.json", R"([{"Config":"c.json","RepoTags":["a:1"],"Layers":["layer"]}])"));
  EXPECT_EQ(load(gzip(archive)), "docker.io/library/a:1");
  EXPECT_EQ(*disk_.read_file(images_.layer_path(images_.find("a:1")->layers[0]) + "/f"), "text");
}

TEST_F(ImageTest, ReadsAnOciLayout) {
  ASSERT_TRUE(images_.open());
  const std::string layer = tar_end(tar_entry("f", "text"));
  const std::string packed = gzip(layer);
  const std::string config = image_config(digest_of(layer));
  const std::string manifest = R"({"schemaVersion":2,"config":{"digest":")" + digest_of(config) +
                               R"("},"layers":[{"digest":")" + digest_of(packed) + R"("}]})";
  const auto blob = [](const std::string& bytes) {
    return tar_entry("blobs/sha256/" + digest_of(bytes).substr(7), bytes);
  };
  const std::string index =
      R"({"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
      digest_of(manifest) + R"(","annotations":{"org.opencontainers.image.ref.name":"demo:2"}}]})";
  EXPECT_EQ(load(tar_end(tar_entry("oci-layout", "{}") + blob(packed) + blob(config) +
                         blob(manifest) + tar_entry("index.json", index))),
            "docker.io/library/demo:2");
}

TEST_F(ImageTest, RefusesContentThatDoesNotMatchItsDigest) {
  ASSERT_TRUE(images_.open());
  const std::string layer = tar_end(tar_entry("f", "text"));
  const std::string config = image_config(digest_of("something else"));
  const std::string archive = tar_end(
      tar_entry("c.json", config) + tar_entry("layer", layer) +
      tar_entry("manifest.json", R"([{"Config":"c.json","RepoTags":["a:1"],"Layers":["layer"]}])"));
  EXPECT_NE(load(archive).find("does not match the diff ID"), std::string::npos) << said_;
  EXPECT_EQ(images_.all().size(), 0u);
  EXPECT_TRUE(machine_.disk().list("/data/images/layers")->empty());
  EXPECT_TRUE(machine_.disk().list("/data/images/tmp")->empty());
}

TEST_F(ImageTest, RefusesEntriesThatLeaveTheImage) {
  ASSERT_TRUE(images_.open());
  EXPECT_NE(
      load(docker_archive("a:1", tar_end(tar_entry("../evil", "x")))).find("leaves the image"),
      std::string::npos)
      << said_;
  // A symlink out, then a file through it.
  load(docker_archive("a:2",
                      tar_end(tar_entry("out", "", '2', "/etc") + tar_entry("out/evil", "x"))));
  EXPECT_EQ(images_.find("a:2"), nullptr);
  EXPECT_FALSE(machine_.disk().stat("/etc/evil"));
}

TEST_F(ImageTest, TurnsWhiteoutsIntoOverlayForm) {
  ASSERT_TRUE(images_.open());
  load(docker_archive("a:1",
                      tar_end(tar_entry("d/", "", '5', {}, 0755) + tar_entry("d/.wh..wh..opq", "") +
                              tar_entry("d/.wh.gone", "") + tar_entry("dev/null", "", '3'))));
  const Image* image = images_.find("a:1");
  ASSERT_NE(image, nullptr) << said_;
  Result<std::unique_ptr<port::Tree>> opened =
      machine_.disk().tree(images_.layer_path(image->layers[0]));
  port::Tree* tree = opened->get();
  EXPECT_EQ(tree->stat("d/gone")->type, port::FileType::kCharacterDevice);
  EXPECT_FALSE(tree->stat("dev/null"));
  EXPECT_FALSE(tree->stat("d/.wh..wh..opq"));
}

TEST_F(ImageTest, RemovesNamesAndThenTheImage) {
  ASSERT_TRUE(images_.open());
  load(busybox_archive());
  EXPECT_EQ(remove("nothing"), "image \"nothing\" not found");
  EXPECT_EQ(remove("busybox"), "removed");
  EXPECT_EQ(images_.find("busybox"), nullptr);
  EXPECT_TRUE(machine_.disk().list("/data/images/layers")->empty());
}

TEST_F(ImageTest, SurvivesAPowerCutAtAnyMomentOfALoad) {
  for (uint64_t cut = 1; cut < 60; cut += 3) {
    port_sim::World world(cut);
    port_sim::Machine& machine = world.machine();
    const std::unique_ptr<port::Lane> lane = machine.lane();
    {
      Images images(machine.disk(), *lane, "/data/images", "amd64");
      ASSERT_TRUE(images.open());
      ASSERT_TRUE(machine.disk().write_file("/in.tar", busybox_archive(), 0600));
      ASSERT_TRUE(
          (*static_cast<port::Disk&>(machine.disk()).open("/in.tar", port::OpenMode::kReadWrite))
              ->sync());
      ASSERT_TRUE(machine.disk().sync_directory("/"));
      machine.disk().faults().power_off_at = machine.disk().platter().operations() + cut;
      images.load("/in.tar", *this, 1);
      world.run_for(seconds(1));
    }
    machine.disk().power_on();
    Images after(machine.disk(), *lane, "/data/images", "amd64");
    const Result<> opened = after.open();
    ASSERT_TRUE(opened) << cut << opened.error().message;
    const Image* image = after.find("busybox");
    if (image == nullptr) continue;
    const Result<std::string> shell =
        static_cast<port::Disk&>(machine.disk())
            .read_file(after.layer_path(image->layers[0]) + "/bin/sh");
    ASSERT_TRUE(shell) << cut << " " << shell.error().message;
    EXPECT_EQ(*shell, "#!") << cut;
  }
}

}  // namespace
}  // namespace coracle::node
