#include "worker/png.h"

#include <png.h>

#include <csetjmp>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace tessera::worker {
namespace {

// zlib's default: higher levels save 1 % of a picture for twice the time.
constexpr int kCompressionLevel = 6;

// Appends bytes that libpng hands over to the string behind `png`.
void Append(png_structp png, png_bytep data, size_t size) {
  static_cast<std::string*>(png_get_io_ptr(png))
      ->append(reinterpret_cast<const char*>(data), size);
}

// Does nothing: the string has every byte.
void Flush(png_structp) {}

// Keeps the message and returns to setjmp in WriteFile; libpng forbids this
// callback to return.
void OnError(png_structp png, png_const_charp message) {
  *static_cast<std::string*>(png_get_error_ptr(png)) = message;
  png_longjmp(png, 1);
}

// Drops warnings, which libpng would otherwise print.
void OnWarning(png_structp, png_const_charp) {}

// Everything that libpng may leave by longjmp: it owns no object with a
// destructor. Returns whether `file` is complete.
bool WriteFile(png_structp png, png_infop info, const model::Image& image,
               png_textp text, int text_count) {
  // Comes back here on errors; nothing between here and there needs unwinding.
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_compression_level(png, kCompressionLevel);
  // Writes neither time nor colour space, so that equal pixels give equal
  // bytes.
  png_set_IHDR(png, info, static_cast<png_uint_32>(image.width),
               static_cast<png_uint_32>(image.height), 8, PNG_COLOR_TYPE_RGB,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (text_count > 0) png_set_text(png, info, text, text_count);
  png_write_info(png, info);
  // Hands rows over where they lie: rgb is [height, width, 3].
  for (int y = 0; y < image.height; ++y) {
    png_write_row(png, image.rgb.data() + size_t{3} * image.width * y);
  }
  png_write_end(png, info);
  return true;
}

// Makes iTXt chunks, uncompressed, which borrow the strings of `text`.
std::vector<png_text> MakeTextChunks(
    const std::vector<std::pair<std::string, std::string>>& text) {
  std::vector<png_text> chunks;
  for (const auto& [key, value] : text) {
    png_text chunk{};
    chunk.compression = PNG_ITXT_COMPRESSION_NONE;
    // libpng takes mutable pointers and does not write through them.
    chunk.key = const_cast<char*>(key.c_str());
    chunk.text = const_cast<char*>(value.c_str());
    chunk.itxt_length = value.size();
    chunks.push_back(chunk);
  }
  return chunks;
}

}  // namespace

absl::StatusOr<std::string> EncodePng(
    const model::Image& image,
    const std::vector<std::pair<std::string, std::string>>& text) {
  // Checks here, for libpng reads rows by width and height alone.
  if (image.width < 1 || image.height < 1 ||
      image.rgb.size() != size_t{3} * image.width * image.height) {
    return absl::InvalidArgumentError(
        absl::StrCat("pixels do not fill the picture: ", image.rgb.size(),
                     " bytes for ", image.width, "x", image.height));
  }
  // Stands until OnError replaces it: libpng calls no one when it has no
  // memory.
  std::string error = "out of memory";
  std::string file;
  // Hands OnError the string for its message.
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &error,
                                            OnError, OnWarning);
  if (png == nullptr) return absl::InternalError("cannot start libpng");
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &file, Append, Flush);
  std::vector<png_text> chunks = MakeTextChunks(text);
  const bool written =
      info != nullptr && WriteFile(png, info, image, chunks.data(),
                                   static_cast<int>(chunks.size()));
  // Frees both, after an error too.
  png_destroy_write_struct(&png, &info);
  if (!written) {
    return absl::InternalError(absl::StrCat("cannot encode PNG: ", error));
  }
  return file;
}

}  // namespace tessera::worker
