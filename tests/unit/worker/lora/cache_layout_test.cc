#include "worker/lora/cache_layout.h"

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temporary_folder.h"

namespace tessera::lora {
namespace {

using ::tessera::testing::WriteText;

// The digest of nothing (FIPS 180-4 examples).
constexpr char kEmpty[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(CacheLayoutTest, KnowsADigest) {
  EXPECT_TRUE(IsSha256(kEmpty));
  EXPECT_FALSE(IsSha256(""));
  EXPECT_FALSE(IsSha256(std::string(kEmpty) + "0"));
  EXPECT_FALSE(IsSha256(std::string(63, 'a') + "g"));
  EXPECT_FALSE(IsSha256(std::string(63, 'a') + "F"));
  EXPECT_FALSE(IsSha256(std::string(63, 'a') + std::string(1, '\0')));
}

TEST(CacheLayoutTest, PutsEveryFileInsideItsFolder) {
  const CacheLayout layout("/cache");

  EXPECT_EQ(layout.EntryPath("00"), "/cache/00.safetensors");
  EXPECT_EQ(layout.PartialPath("00"), "/cache/00.partial");
  EXPECT_EQ(layout.QuarantinePath("00"), "/cache/quarantine/00.safetensors");
  EXPECT_EQ(layout.ReasonPath("00"), "/cache/quarantine/00.reason");
}

TEST(CacheLayoutTest, ListsEachKindAndCountsAll) {
  const testing::TemporaryFolder folder;
  const CacheLayout layout(folder.path());
  ASSERT_TRUE(layout.MakeFolders().ok());
  WriteText(layout.EntryPath(kEmpty), "1");
  WriteText(layout.PartialPath(kEmpty), "22");
  WriteText(layout.QuarantinePath(kEmpty), "4444");
  WriteText(layout.ReasonPath(kEmpty), "why");
  WriteText(folder / "ink.safetensors", "a person's");
  std::filesystem::create_directory(
      layout.EntryPath(std::string(64, '0')));  // no file

  const auto contents = layout.List();

  ASSERT_TRUE(contents.ok()) << contents.status();
  ASSERT_EQ(contents->entries.size(), 1u);
  EXPECT_EQ(contents->entries[0].sha256, kEmpty);
  EXPECT_EQ(contents->entries[0].path, layout.EntryPath(kEmpty));
  EXPECT_EQ(contents->entries[0].bytes, 1);
  EXPECT_EQ(contents->partials.size(), 1u);
  EXPECT_EQ(contents->quarantined.size(), 1u);
  EXPECT_EQ(contents->bytes(), 7);
}

TEST(CacheLayoutTest, AFolderThatIsGoneIsAnError) {
  const testing::TemporaryFolder folder;

  EXPECT_FALSE(CacheLayout(folder / "gone").List().ok());
}

}  // namespace
}  // namespace tessera::lora
