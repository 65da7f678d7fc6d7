#include "worker/model/npy.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"
#include "worker/model/file_shape.h"
#include "worker/model/mapped_file.h"

namespace tessera::model {
namespace {

using kernels::DType;
using kernels::Shape;
using kernels::Tensor;

// Magic and version 1.0; the two bytes of the header's length follow.
constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);
constexpr size_t kPreamble = 10;
// Far more than any latents have; the product of both fits 64 bits.
constexpr int64_t kMaxExtent = int64_t{1} << 24;
constexpr int64_t kMaxElements = int64_t{1} << 32;

// Reads "(4, 16, 16)" after 'shape' in the header.
absl::StatusOr<Shape> ParseShape(const std::string& header,
                                 const absl::Status& error) {
  // Finds the only parentheses that numpy writes there.
  const size_t open = header.find('('), close = header.find(')');
  if (open == std::string::npos || close == std::string::npos || close < open) {
    return error;
  }
  std::vector<int64_t> extents;
  int64_t elements = 1;
  const std::string inside = header.substr(open + 1, close - open - 1);
  // Walks the entries between commas; a tuple of one has an empty second one.
  for (const absl::string_view part : absl::StrSplit(inside, ',')) {
    if (part.find_first_not_of(' ') == absl::string_view::npos) continue;
    int64_t extent = 0;
    if (!absl::SimpleAtoi(part, &extent) || extent < 0 || extent > kMaxExtent ||
        extents.size() == Shape::kMaxRank) {
      return error;
    }
    // Bounds the product as it grows: the caller compares it with the file's
    // size.
    elements *= extent;
    if (elements > kMaxElements) return error;
    extents.push_back(extent);
  }
  return ShapeOf(extents);
}

}  // namespace

absl::Status WriteNpy(const std::string& path,
                      const kernels::TensorView& tensor) {
  // Writes a trailing comma, which Python wants in a tuple of one.
  std::string shape;
  for (int axis = 0; axis < tensor.shape.rank(); ++axis) {
    absl::StrAppend(&shape, tensor.shape[axis], ", ");
  }
  std::string header =
      absl::StrCat("{'descr': '", tensor.dtype == DType::kI32 ? "<i4" : "<f4",
                   "', 'fortran_order': False, 'shape': (", shape, "), }");
  // The data starts on a multiple of 64 bytes.
  header.resize((kPreamble + header.size() + 64) / 64 * 64 - kPreamble, ' ');
  header.back() = '\n';
  std::ofstream file(path, std::ios::binary);
  // Fits 16 bits: a shape has at most five numbers.
  const auto length = static_cast<uint16_t>(header.size());
  file.write(kMagic.data(), kMagic.size());
  file.put(static_cast<char>(length & 0xff));
  file.put(static_cast<char>(length >> 8));
  file << header;
  file.write(static_cast<const char*>(tensor.data), tensor.bytes());
  // Flushes, so that a full disk shows in the stream's state.
  file.close();
  if (!file) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  }
  return absl::OkStatus();
}

absl::StatusOr<Tensor> ReadNpy(const std::string& path) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  const std::string_view bytes = file.bytes();
  const absl::Status error = absl::InvalidArgumentError(absl::StrCat(
      path, ": expected a .npy file, version 1.0, of f32 in C order"));
  if (!bytes.starts_with(kMagic) || bytes.size() < kPreamble) return error;
  // Reads the little-endian length byte by byte.
  const size_t length = static_cast<uint8_t>(bytes[8]) |
                        static_cast<size_t>(static_cast<uint8_t>(bytes[9]))
                            << 8;
  if (bytes.size() < kPreamble + length) return error;
  const std::string header(bytes.substr(kPreamble, length));
  // Looks for the fields in the text: numpy writes the dictionary in one fixed
  // form.
  if (!absl::StrContains(header, "'<f4'") ||
      !absl::StrContains(header, "'fortran_order': False")) {
    return error;
  }
  ASSIGN_OR_RETURN(const Shape shape, ParseShape(header, error));
  // Asks for the exact size, neither truncated nor with bytes to spare.
  if (bytes.size() - kPreamble - length !=
      static_cast<size_t>(shape.elements()) * sizeof(float)) {
    return error;
  }
  Tensor tensor(shape, DType::kF32);
  std::memcpy(tensor.f32(), bytes.data() + kPreamble + length,
              static_cast<size_t>(tensor.bytes()));
  return tensor;
}

}  // namespace tessera::model
