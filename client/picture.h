// Pictures in memory, as the contact sheet handles them.
#ifndef TESSERA_CLIENT_PICTURE_H_
#define TESSERA_CLIENT_PICTURE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tessera::client {

// An RGB picture, 8 bits a channel, rows from the top.
struct Picture {
  int width = 0;   // pixels
  int height = 0;  // pixels
  std::vector<uint8_t> rgb;

  // Makes a picture of one grey level.
  static Picture Filled(int width, int height, uint8_t level);

  uint8_t* At(int x, int y) { return &rgb[3 * (int64_t{y} * width + x)]; }
  const uint8_t* At(int x, int y) const {
    return &rgb[3 * (int64_t{y} * width + x)];
  }
};

// Reads a PNG file. Errors: INVALID_ARGUMENT that names the file when it is
// missing, damaged or larger than 64 megapixels.
absl::StatusOr<Picture> ReadPng(const std::string& path);

// Writes a PNG file whole or not at all: through a temporary name beside it.
// Errors: INTERNAL that names the file and the reason.
absl::Status WritePng(const Picture& picture, const std::string& path);

// Returns the text that a PNG's bytes hold under `keyword` (tEXt, or iTXt that
// is not compressed); empty when there is none.
std::string FindPngText(std::string_view bytes, std::string_view keyword);

// Returns the picture at most `limit` pixels wide and high, shrunk by area
// averaging with its proportions kept; unchanged when it already fits.
Picture ShrinkToFit(const Picture& picture, int limit);

// Writes `text` with the small font, its upper left corner at (`x`, `y`), each
// font pixel `scale` pixels wide. What is outside the picture is left out.
void DrawText(Picture& picture, int x, int y, int scale, std::string_view text);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_PICTURE_H_
