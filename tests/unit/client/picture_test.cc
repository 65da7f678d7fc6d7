#include "client/picture.h"

#include <filesystem>

#include "client/glyphs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/scratch_folder.h"

namespace tessera::client {
namespace {

using ::testing::HasSubstr;

// A chunk with a CRC that nobody checks.
std::string Chunk(const std::string& type, const std::string& body) {
  std::string chunk(4, '\0');
  chunk[2] = static_cast<char>(body.size() >> 8);
  chunk[3] = static_cast<char>(body.size() & 255);
  return chunk + type + body + "crc!";
}

std::string Png(const std::string& chunks) {
  return "\x89PNG\r\n\x1a\n" + chunks;
}

TEST(PictureTest, SurvivesAPngFile) {
  const ScratchFolder folder;
  Picture picture = Picture::Filled(5, 3, 10);
  picture.At(4, 2)[1] = 200;
  const std::string path = folder.File("a.png");

  ASSERT_TRUE(WritePng(picture, path).ok());
  const auto read = ReadPng(path);

  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->width, 5);
  EXPECT_EQ(read->height, 3);
  EXPECT_EQ(read->rgb, picture.rgb);
}

TEST(PictureTest, DamagedOrMissingFilesAreNamed) {
  const ScratchFolder folder;
  for (const std::string& path :
       {folder.File("none.png"), folder.Write("bad.png", "not a png"),
        folder.Write("cut.png", Png(""))}) {
    const auto read = ReadPng(path);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(path));
  }
}

TEST(PictureTest, FailedWriteLeavesNothing) {
  const ScratchFolder folder;

  EXPECT_FALSE(WritePng(Picture::Filled(2, 2, 0), "/no/folder/a.png").ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(FindPngTextTest, ReadsPlainAndInternationalText) {
  const std::string plain = Chunk("tEXt", std::string("Title\0x", 7));
  const std::string international = Chunk(
      "iTXt", std::string("parameters\0\0\0\0\0", 15) + "a p\xC3\xA9nguin");

  const std::string bytes = Png(plain + international);

  EXPECT_EQ(FindPngText(bytes, "Title"), "x");
  EXPECT_EQ(FindPngText(bytes, "parameters"), "a p\xC3\xA9nguin");
  EXPECT_EQ(FindPngText(bytes, "other"), "");
}

TEST(FindPngTextTest, IgnoresCompressedAndDamagedChunks) {
  const std::string compressed =
      Chunk("iTXt", std::string("parameters\0\1\0\0\0zzz", 18));
  EXPECT_EQ(FindPngText(Png(compressed), "parameters"), "");

  std::string long_length = Chunk("tEXt", std::string("parameters\0x", 12));
  long_length[0] = '\xFF';
  EXPECT_EQ(FindPngText(Png(long_length), "parameters"), "");
  EXPECT_EQ(FindPngText("", "parameters"), "");
  EXPECT_EQ(FindPngText(Png("short"), "parameters"), "");
}

TEST(ShrinkToFitTest, KeepsProportionsAndAverages) {
  Picture picture = Picture::Filled(8, 4, 0);
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 8; x += 2) std::fill_n(picture.At(x, y), 3, 200);
  }

  const Picture small = ShrinkToFit(picture, 4);

  EXPECT_EQ(small.width, 4);
  EXPECT_EQ(small.height, 2);
  for (const uint8_t level : small.rgb) EXPECT_EQ(level, 100);
}

TEST(ShrinkToFitTest, LeavesSmallPicturesAndThinOnesAlive) {
  EXPECT_EQ(ShrinkToFit(Picture::Filled(4, 4, 9), 4).rgb.size(), 48u);

  const Picture thin = ShrinkToFit(Picture::Filled(1000, 1, 7), 10);
  EXPECT_EQ(thin.width, 10);
  EXPECT_EQ(thin.height, 1);
}

TEST(GlyphsTest, LettersDifferAndStayInTheirBox) {
  const auto ink = [](char letter) {
    std::string pixels;
    for (int y = 0; y < kGlyphHeight; ++y) {
      for (int x = 0; x < kGlyphWidth; ++x) {
        pixels += GlyphPixel(letter, x, y) ? '#' : '.';
      }
    }
    return pixels;
  };
  for (char a = ' '; a <= '~'; ++a) {
    for (char b = ' '; b < a; ++b) EXPECT_NE(ink(a), ink(b)) << a << b;
  }
  EXPECT_EQ(ink('\xE9'), ink('?'));
  EXPECT_EQ(ink('\n'), ink('?'));
  EXPECT_FALSE(GlyphPixel('#', -1, 0));
  EXPECT_FALSE(GlyphPixel('#', kGlyphWidth, 0));
}

TEST(GlyphsTest, CapitalLIsAnAngle) {
  for (int y = 0; y < kGlyphHeight; ++y) {
    EXPECT_TRUE(GlyphPixel('L', 0, y));
    EXPECT_EQ(GlyphPixel('L', 4, y), y == kGlyphHeight - 1);
  }
}

TEST(DrawTextTest, DrawsInkAndClipsAtTheEdge) {
  Picture picture = Picture::Filled(8, 8, 255);

  DrawText(picture, 0, 0, 1, "L and more than fits");
  DrawText(picture, -3, 5, 2, "MM");

  EXPECT_LT(picture.At(0, 0)[0], 128);
  EXPECT_EQ(picture.At(1, 0)[0], 255);
}

}  // namespace
}  // namespace tessera::client
