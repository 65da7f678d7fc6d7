#include "client/picture.h"

#include <png.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "client/glyphs.h"

namespace tessera::client {
namespace {

// 64 megapixels, 192 MB of RGB; a header that claims more is not believed.
constexpr int64_t kMostPixels = 64 << 20;
// Dark grey: softer than black on nearly white paper.
constexpr uint8_t kInk = 40;
// The eight bytes with which every PNG begins (specification 5.2).
constexpr size_t kSignatureBytes = 8;
constexpr size_t kChunkOverhead = 12;  // length, type and CRC

// Reads the first four bytes, which PNG stores big-endian.
uint32_t BigEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<uint8_t>(bytes[i]);
  }
  return value;
}

// Returns what follows the first NUL of `text`; empty when there is none.
std::string_view AfterNul(std::string_view text) {
  const size_t nul = text.find('\0');
  return nul == std::string_view::npos ? "" : text.substr(nul + 1);
}

// The text of an iTXt chunk after its keyword: compression flag and method,
// language, translated keyword, text (PNG specification 11.3.4.5).
// A compressed text is not ours; "" says that nothing was found.
std::string InternationalText(std::string_view body) {
  if (body.size() < 2 || body[0] != 0) return "";
  return std::string(AfterNul(AfterNul(body.substr(2))));
}

// Averages the block of `picture` that the pixel (x, y) of a picture of
// `width` x `height` covers, into `out` [3].
void AverageBlock(const Picture& picture, int width, int height, int x, int y,
                  uint8_t* out) {
  // Splits `size` pixels into `count` spans without gaps; each has one pixel at
  // least. 64 bits, as the product may pass 2^31.
  const auto span = [](int i, int count, int size) {
    const int begin = static_cast<int>(int64_t{i} * size / count);
    const int end = static_cast<int>(int64_t{i + 1} * size / count);
    return std::pair(begin, std::max(end, begin + 1));
  };
  const auto [left, right] = span(x, width, picture.width);
  const auto [top, bottom] = span(y, height, picture.height);
  int64_t sum[3] = {0, 0, 0};
  for (int row = top; row < bottom; ++row) {
    for (int column = left; column < right; ++column) {
      for (int c = 0; c < 3; ++c) sum[c] += picture.At(column, row)[c];
    }
  }
  const int64_t count = int64_t{right - left} * (bottom - top);
  for (int c = 0; c < 3; ++c) {
    // Half the count is added so that the quotient is rounded, not cut.
    out[c] = static_cast<uint8_t>((sum[c] + count / 2) / count);
  }
}

}  // namespace

Picture Picture::Filled(int width, int height, uint8_t level) {
  Picture picture{width, height, {}};
  picture.rgb.assign(3 * int64_t{width} * height, level);
  return picture;
}

absl::StatusOr<Picture> ReadPng(const std::string& path) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_file(&image, path.c_str())) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": not a readable PNG: ", image.message));
  }
  // Before the memory is allocated.
  if (int64_t{image.width} * image.height > kMostPixels) {
    png_image_free(&image);
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": too large: ", image.width, "x", image.height));
  }
  // libpng converts whatever the file has; transparent pixels are laid over the
  // buffer, which is black.
  image.format = PNG_FORMAT_RGB;
  Picture picture = Picture::Filled(static_cast<int>(image.width),
                                    static_cast<int>(image.height), 0);
  // libpng frees its state itself, on success and on errors.
  if (!png_image_finish_read(&image, nullptr, picture.rgb.data(), 0, nullptr)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": not a readable PNG: ", image.message));
  }
  return picture;
}

absl::Status WritePng(const Picture& picture, const std::string& path) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = picture.width;
  image.height = picture.height;
  image.format = PNG_FORMAT_RGB;
  // Of this process alone: two sheets drawn at once do not mix.
  const std::string temporary = absl::StrCat(path, ".", getpid(), ".tmp");
  if (!png_image_write_to_file(&image, temporary.c_str(), 0, picture.rgb.data(),
                               0, nullptr)) {
    std::remove(temporary.c_str());
    return absl::InternalError(
        absl::StrCat(path, ": cannot be written: ", image.message));
  }
  // Readers see the old sheet or the new one, never half of one.
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    std::remove(temporary.c_str());
    return absl::InternalError(absl::StrCat(path, ": cannot be replaced"));
  }
  return absl::OkStatus();
}

std::string FindPngText(std::string_view bytes, std::string_view keyword) {
  size_t at = kSignatureBytes;
  while (at + kChunkOverhead <= bytes.size()) {
    const uint32_t length = BigEndian(bytes.substr(at, 4));
    // A length that leads beyond the end: the file is cut off or no PNG.
    if (length > bytes.size() - at - kChunkOverhead) return "";
    const std::string_view type = bytes.substr(at + 4, 4);
    const std::string_view body = bytes.substr(at + 8, length);
    // Text chunks begin with a keyword and a NUL; other chunks just do not
    // match.
    const bool named = body.substr(0, body.find('\0')) == keyword;
    if (named && type == "tEXt") return std::string(AfterNul(body));
    if (named && type == "iTXt") return InternationalText(AfterNul(body));
    at += kChunkOverhead + length;
  }
  return "";
}

Picture ShrinkToFit(const Picture& picture, int limit) {
  const int longest = std::max(picture.width, picture.height);
  // Never enlarged: a small picture stays as it is.
  if (longest <= limit) return picture;
  const auto scaled = [&](int size) {
    // At least one pixel, also for a picture a thousand times wider than high.
    return std::max(1, static_cast<int>(int64_t{size} * limit / longest));
  };
  Picture small =
      Picture::Filled(scaled(picture.width), scaled(picture.height), 0);
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) {
      AverageBlock(picture, small.width, small.height, x, y, small.At(x, y));
    }
  }
  return small;
}

void DrawText(Picture& picture, int x, int y, int scale,
              std::string_view text) {
  const int advance = (kGlyphWidth + 1) * scale;
  for (size_t i = 0; i < text.size(); ++i) {
    const int left = x + static_cast<int>(i) * advance;
    for (int dy = 0; dy < kGlyphHeight * scale; ++dy) {
      for (int dx = 0; dx < kGlyphWidth * scale; ++dx) {
        // Clipped pixel by pixel: text may begin or end outside.
        const bool inside = left + dx >= 0 && left + dx < picture.width &&
                            y + dy >= 0 && y + dy < picture.height;
        if (inside && GlyphPixel(text[i], dx / scale, dy / scale)) {
          std::fill_n(picture.At(left + dx, y + dy), 3, kInk);
        }
      }
    }
  }
}

}  // namespace tessera::client
