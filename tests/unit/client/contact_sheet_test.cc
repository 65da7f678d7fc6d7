#include "client/contact_sheet.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/scratch_folder.h"

namespace tessera::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SheetItem Item(int width, int height, uint8_t level) {
  return {Picture::Filled(width, height, level), "a1 #0", "a red apple"};
}

std::string ManifestLine(int i, const std::string& path) {
  return absl::StrCat("{\"custom_id\":\"p", i, "\",\"index\":0,\"path\":\"",
                      path, "\"}\n");
}

TEST(PromptOfTest, EndsBeforeTheSettings) {
  EXPECT_EQ(PromptOf("a red apple\nSteps: 20, Seed: 3"), "a red apple");
  EXPECT_EQ(PromptOf("a\nb\nNegative prompt: c\nSteps: 20"), "a b");
  EXPECT_EQ(PromptOf("Steps: 20, Seed: 3"), "");
  EXPECT_EQ(PromptOf("Negative prompt: c\nSteps: 20"), "");
  EXPECT_EQ(PromptOf(""), "");
}

TEST(WrapLabelTest, BreaksAtSpacesAndMarksWhatIsLeftOut) {
  EXPECT_THAT(WrapLabel("a red apple", 20, 2), ElementsAre("a red apple"));
  EXPECT_THAT(WrapLabel("a red apple", 6, 2), ElementsAre("a red", "apple"));
  EXPECT_THAT(WrapLabel("a red apple here", 6, 2),
              ElementsAre("a red", "appl.."));
  EXPECT_THAT(WrapLabel("abcdefgh", 4, 3), ElementsAre("abcd", "efgh"));
  EXPECT_THAT(WrapLabel("", 4, 3), ElementsAre());
}

TEST(WrapLabelTest, OneMarkForEachForeignCharacter) {
  EXPECT_THAT(WrapLabel("na\xC3\xAFve \xE6\x97\xA5\xE6\x9C\xAC", 20, 1),
              ElementsAre("na?ve ??"));
  EXPECT_THAT(WrapLabel("tab\there", 20, 1), ElementsAre("tab here"));
}

TEST(LayOutSheetTest, IsAsSquareAsPossible) {
  std::vector<SheetItem> items;
  for (int i = 0; i < 5; ++i) items.push_back(Item(128, 128, 0));

  const Picture sheet = LayOutSheet(items, 0);
  const Picture row = LayOutSheet(items, 5);

  EXPECT_GT(sheet.width, 3 * 128);
  EXPECT_LT(sheet.width, 4 * 128);
  EXPECT_GT(sheet.height, 2 * 128);
  EXPECT_GT(row.width, 5 * 128);
  EXPECT_LT(row.height, 2 * 128);
}

TEST(LayOutSheetTest, UnlikeSizesShareACellAndLargeOnesShrink) {
  const Picture sheet =
      LayOutSheet({Item(64, 128, 0), Item(1024, 512, 0), Item(8, 8, 0)}, 3);

  EXPECT_GT(sheet.width, 3 * 256);
  EXPECT_LT(sheet.width, 3 * 300);
  int64_t black = 0;
  for (const uint8_t level : sheet.rgb) black += level == 0 ? 1 : 0;
  EXPECT_EQ(black, 3 * (64 * 128 + 256 * 128 + 8 * 8));
}

TEST(LayOutSheetTest, MoreColumnsThanPicturesAreNotDrawn) {
  EXPECT_EQ(LayOutSheet({Item(64, 64, 0)}, 9).width,
            LayOutSheet({Item(64, 64, 0)}, 1).width);
}

TEST(WriteContactSheetTest, ReadsTheManifestAndWritesTheSheet) {
  const ScratchFolder folder;
  std::string manifest;
  for (int i = 0; i < 3; ++i) {
    const std::string name = absl::StrCat("p", i, ".png");
    ASSERT_TRUE(
        WritePng(Picture::Filled(32, 32 + 8 * i, 100), folder.File(name)).ok());
    manifest += ManifestLine(i, name);
  }
  folder.Write("manifest.jsonl", manifest);

  const auto report = WriteContactSheet(folder.path(), 0);

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->shown, 3);
  EXPECT_EQ(report->total, 3);
  EXPECT_EQ(report->path, folder.File("contact-sheet.png"));
  EXPECT_TRUE(ReadPng(report->path).ok());
}

TEST(WriteContactSheetTest, ShowsAtMostFourHundred) {
  const ScratchFolder folder;
  ASSERT_TRUE(WritePng(Picture::Filled(8, 8, 1), folder.File("p.png")).ok());
  std::string manifest;
  for (int i = 0; i < 450; ++i) manifest += ManifestLine(i, "p.png");
  folder.Write("manifest.jsonl", manifest);

  const auto report = WriteContactSheet(folder.path(), 0);

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->shown, 400);
  EXPECT_EQ(report->total, 450);
}

TEST(WriteContactSheetTest, CountsDamagedPictures) {
  const ScratchFolder folder;
  ASSERT_TRUE(WritePng(Picture::Filled(8, 8, 1), folder.File("a.png")).ok());
  folder.Write("b.png", "damaged");
  folder.Write("manifest.jsonl",
               ManifestLine(0, "a.png") + ManifestLine(1, "b.png"));

  const auto report = WriteContactSheet(folder.path(), 0);

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->shown, 1);
  EXPECT_EQ(report->damaged, 1);
}

TEST(WriteContactSheetTest, BadManifestsAreRefused) {
  const ScratchFolder folder;
  EXPECT_THAT(
      std::string(WriteContactSheet(folder.path(), 0).status().message()),
      HasSubstr("no manifest"));

  folder.Write("manifest.jsonl", "");
  EXPECT_THAT(
      std::string(WriteContactSheet(folder.path(), 0).status().message()),
      HasSubstr("no picture"));

  for (const char* line : {"{", "[]", "{\"custom_id\":1}", "null"}) {
    folder.Write("manifest.jsonl", line);
    EXPECT_THAT(
        std::string(WriteContactSheet(folder.path(), 0).status().message()),
        HasSubstr("manifest.jsonl:1: not a line"))
        << line;
  }
}

}  // namespace
}  // namespace tessera::client
