// Reads bytes as a safetensors file and holds what is accepted against the
// format: tensors tile the data, their bytes fit their shapes, and a file
// written anew from what was read reads the same.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "kernels/tensor.h"
#include "nlohmann/json.hpp"
#include "tests/fuzz/safetensors_input.h"
#include "worker/model/safetensors.h"

namespace tessera::model {
namespace {

using kernels::DType;
using kernels::TensorView;
using nlohmann::json;

constexpr char kLabel[] = "input";

// Returns how the format spells `dtype`.
std::string NameOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kF16:
      return "F16";
    case DType::kBF16:
      return "BF16";
    default:
      CHECK(dtype == DType::kI32);
      return "I32";
  }
}

// Returns the bytes that `view` borrows.
std::string_view BytesOf(const TensorView& view) {
  return {static_cast<const char*>(view.data),
          static_cast<size_t>(view.bytes())};
}

// Reads every element, also where a tensor is not aligned.
void ReadElements(const TensorView& view) {
  const absl::StatusOr<kernels::Tensor> copy = kernels::ToF32(view);
  CHECK(copy.ok() == (view.dtype != DType::kI32));
  if (!copy.ok()) return;
  CHECK(copy->shape() == view.shape);
  if (view.dtype != DType::kF32) return;
  const std::string_view bytes = BytesOf(view);
  CHECK(bytes.empty() ||
        std::memcmp(copy->f32(), bytes.data(), bytes.size()) == 0);
}

// Returns how many tensors an accepted header names.
size_t CountTensors(std::string_view header) {
  const json object = json::parse(header, nullptr, false);
  CHECK(object.is_object());
  return object.size() - object.count("__metadata__");
}

// Checks that the tensors lie in `data` without overlap and, where each of the
// file's `count` tensors is of a type that is read, from end to end.
void CheckTiling(const SafetensorsIndex& index, size_t count,
                 std::string_view data) {
  const bool all_read = index.tensors().size() == count;
  CHECK(index.tensors().size() <= count);
  std::vector<std::pair<const char*, const char*>> extents;
  for (const auto& [name, view] : index.tensors()) {
    const std::string_view bytes = BytesOf(view);
    CHECK(view.shape.rank() <= kernels::Shape::kMaxRank);
    CHECK(bytes.data() >= data.data());
    CHECK(bytes.data() + bytes.size() <= data.data() + data.size());
    extents.emplace_back(bytes.data(), bytes.data() + bytes.size());
  }
  std::sort(extents.begin(), extents.end());
  const char* at = data.data();
  for (const auto& [begin, end] : extents) {
    CHECK(all_read ? begin == at : begin >= at);
    at = end;
  }
  CHECK(!all_read || at == data.data() + data.size());
}

// Returns a file with the tensors and metadata of `index`.
std::string Write(const SafetensorsIndex& index) {
  json header = json::object();
  std::string data;
  for (const auto& [name, view] : index.tensors()) {
    json shape = json::array();
    for (int axis = 0; axis < view.shape.rank(); ++axis) {
      shape.push_back(view.shape[axis]);
    }
    const size_t begin = data.size();
    data += BytesOf(view);
    header[name] = {{"dtype", NameOf(view.dtype)},
                    {"shape", shape},
                    {"data_offsets", {begin, data.size()}}};
  }
  header["__metadata__"] = index.metadata();
  return fuzz::WithFittingHeader(std::string(8, '\0') + header.dump()) + data;
}

// Checks that two files hold the same tensors and metadata.
void CheckEqual(const SafetensorsIndex& a, const SafetensorsIndex& b) {
  CHECK(a.metadata() == b.metadata());
  CHECK(a.tensors().size() == b.tensors().size());
  for (const auto& [name, view] : a.tensors()) {
    const auto other = b.tensors().find(name);
    CHECK(other != b.tensors().end());
    CHECK(view.dtype == other->second.dtype);
    CHECK(view.shape == other->second.shape);
    CHECK(BytesOf(view) == BytesOf(other->second));
  }
}

// Reads one file and checks what the reader promises.
void CheckFile(std::string_view file) {
  const absl::StatusOr<SafetensorsIndex> index =
      SafetensorsIndex::Parse(file, kLabel);
  if (!index.ok()) {
    CHECK(absl::IsInvalidArgument(index.status()));
    CHECK(index.status().message().substr(0, sizeof kLabel) == "input:");
    return;
  }
  uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof header);
  file.remove_prefix(sizeof header);
  CheckTiling(*index, CountTensors(file.substr(0, header)),
              file.substr(header));
  for (const auto& [name, view] : index->tensors()) ReadElements(view);

  const std::string written = Write(*index);
  const absl::StatusOr<SafetensorsIndex> again =
      SafetensorsIndex::Parse(written, kLabel);
  CHECK(again.ok());
  CheckEqual(*index, *again);
}

}  // namespace
}  // namespace tessera::model

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  tessera::model::CheckFile(input);
  const std::string fitting = tessera::fuzz::WithFittingHeader(input);
  if (fitting != input) tessera::model::CheckFile(fitting);
  return 0;
}
