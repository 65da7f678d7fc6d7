#include "worker/png.h"

#include <png.h>

#include <cstring>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::worker {
namespace {

using ::testing::HasSubstr;

// What a PNG reader sees.
struct ReadPng {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;
  std::string key;
  std::string text;
  int compression = 0;
};

struct Source {
  const std::string* file;
  size_t offset;
};

void Take(png_structp png, png_bytep data, size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (source->offset + size > source->file->size()) png_error(png, "too short");
  std::memcpy(data, source->file->data() + source->offset, size);
  source->offset += size;
}

ReadPng Read(const std::string& file) {
  ReadPng result;
  Source source{&file, 0};
  png_structp png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_read_fn(png, &source, Take);
  png_read_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  result.width = static_cast<int>(png_get_image_width(png, info));
  result.height = static_cast<int>(png_get_image_height(png, info));
  EXPECT_EQ(png_get_color_type(png, info), PNG_COLOR_TYPE_RGB);
  EXPECT_EQ(png_get_bit_depth(png, info), 8);
  png_bytepp rows = png_get_rows(png, info);
  for (int y = 0; y < result.height; ++y) {
    result.rgb.insert(result.rgb.end(), rows[y], rows[y] + 3 * result.width);
  }
  png_textp text = nullptr;
  int count = 0;
  png_get_text(png, info, &text, &count);
  if (count > 0) {
    result.key = text[0].key;
    result.text = text[0].text;
    result.compression = text[0].compression;
  }
  png_destroy_read_struct(&png, &info, nullptr);
  return result;
}

model::Image Gradient(int width, int height) {
  model::Image image{width, height, {}};
  for (int i = 0; i < width * height * 3; ++i) {
    image.rgb.push_back(static_cast<uint8_t>(i * 7));
  }
  return image;
}

TEST(PngTest, PixelsComeBack) {
  const model::Image image = Gradient(13, 5);

  const auto file = EncodePng(image, {});

  ASSERT_TRUE(file.ok()) << file.status();
  const ReadPng read = Read(*file);
  EXPECT_EQ(read.width, 13);
  EXPECT_EQ(read.height, 5);
  EXPECT_EQ(read.rgb, image.rgb);
  EXPECT_EQ(read.key, "");
}

TEST(PngTest, TextComesBackAsUtf8) {
  const std::string text = "ein Apfel \xF0\x9F\x8D\x8E\nSteps: 20";

  const auto file = EncodePng(Gradient(8, 8), {{"parameters", text}});

  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(*file, HasSubstr("iTXtparameters"));
  const ReadPng read = Read(*file);
  EXPECT_EQ(read.key, "parameters");
  EXPECT_EQ(read.text, text);
  EXPECT_EQ(read.compression, PNG_ITXT_COMPRESSION_NONE);
}

TEST(PngTest, LongTextIsKept) {
  const std::string text(65536, 'x');

  const auto file = EncodePng(Gradient(8, 8), {{"parameters", text}});

  EXPECT_EQ(Read(*file).text, text);
}

TEST(PngTest, SamePictureHasTheSameBytes) {
  EXPECT_EQ(*EncodePng(Gradient(8, 8), {{"a", "b"}}),
            *EncodePng(Gradient(8, 8), {{"a", "b"}}));
}

TEST(PngTest, PixelsThatDoNotFillThePictureAreRefused) {
  model::Image image = Gradient(8, 8);
  image.rgb.pop_back();

  EXPECT_TRUE(absl::IsInvalidArgument(EncodePng(image, {}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(EncodePng({}, {}).status()));
}

TEST(PngTest, WidthBeyondTheFormatIsAnError) {
  model::Image image{1 << 21, 1, {}};
  image.rgb.resize(size_t{3} << 21);

  EXPECT_TRUE(absl::IsInternal(EncodePng(image, {}).status()));
}

}  // namespace
}  // namespace tessera::worker
