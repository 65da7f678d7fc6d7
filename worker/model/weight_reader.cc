#include "worker/model/weight_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "worker/model/mapped_file.h"

namespace tessera::model {

WeightReader::WeightReader(Safetensors file) : file_(std::move(file)) {}

absl::StatusOr<WeightReader> WeightReader::Open(const std::string& folder,
                                                const std::string& stem) {
  // Names the file as diffusers and transformers save it.
  const std::string plain = absl::StrCat(folder, "/", stem, ".safetensors");
  absl::StatusOr<Safetensors> file = Safetensors::Open(plain);
  // Looks for the half-precision variant only where the plain file is missing;
  // if both are, the error names the plain one.
  if (absl::IsNotFound(file.status())) {
    absl::StatusOr<Safetensors> half =
        Safetensors::Open(absl::StrCat(folder, "/", stem, ".fp16.safetensors"));
    if (!absl::IsNotFound(half.status())) file = std::move(half);
  }
  if (!file.ok()) return std::move(file).status();
  WeightReader reader(*std::move(file));
  const std::string ranges = absl::StrCat(folder, "/", kInputRangesFile);
  const absl::StatusOr<MappedFile> text = MappedFile::Open(ranges);
  if (absl::IsNotFound(text.status())) return reader;
  RETURN_IF_ERROR(text.status());
  ASSIGN_OR_RETURN(reader.input_ranges_,
                   InputRanges::Parse(text->bytes(), ranges));
  return reader;
}

bool WeightReader::Has(std::string_view name) const {
  return file_.index().tensors().contains(name);
}

absl::StatusOr<kernels::Tensor> WeightReader::Read(
    const std::string& name, const kernels::Shape& shape) const {
  const auto found = file_.index().tensors().find(name);
  const auto other = file_.index().others().find(name);
  if (other != file_.index().others().end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file_.path(), ": ", name, ": expected F32, F16 or BF16, ",
                     "got ", other->second));
  }
  if (found == file_.index().tensors().end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file_.path(), ": missing tensor: ", name,
                     ", expected shape ", shape.ToString()));
  }
  // Compares the shape with the one that the config implies, so that a model of
  // another kind fails here and not in an op.
  if (!(found->second.shape == shape)) {
    return absl::InvalidArgumentError(absl::StrCat(
        file_.path(), ": wrong shape: ", name, " is ",
        found->second.shape.ToString(), ", expected ", shape.ToString()));
  }
  // Copies and widens; the file's mapping is not needed afterwards.
  absl::StatusOr<kernels::Tensor> tensor = kernels::ToF32(found->second);
  // Names the file and the tensor, which ToF32 does not know.
  if (!tensor.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file_.path(), ": ", name, ": ",
                     std::string(tensor.status().message())));
  }
  return tensor;
}

}  // namespace tessera::model
