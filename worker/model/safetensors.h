// The safetensors container, read without trusting it.
#ifndef TESSERA_WORKER_MODEL_SAFETENSORS_H_
#define TESSERA_WORKER_MODEL_SAFETENSORS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/tensor.h"
#include "worker/model/mapped_file.h"

namespace tessera::model {

// Where the tensors of a file lie: the checked header. The format is 8 bytes
// of header length (little endian), a JSON object of name to dtype, shape and
// data_offsets, then the data.
class SafetensorsIndex {
 public:
  using Tensors = std::map<std::string, kernels::TensorView, std::less<>>;

  // Checks the header of `file` and that every tensor lies inside the data,
  // without gaps, overlaps or trailing bytes, as the format demands. `label`
  // is named in errors. Views point into `file`, which must outlive the index.
  //
  // Errors: INVALID_ARGUMENT "label: what is wrong: which tensor".
  static absl::StatusOr<SafetensorsIndex> Parse(std::string_view file,
                                                const std::string& label);

  // Tensors by name; f16, bf16, f32 or i32, row-major, perhaps unaligned.
  const Tensors& tensors() const { return tensors_; }

  // The types, as the header writes them, of tensors that no op reads, by name:
  // published text encoders hold "position_ids" of I64, for one.
  const std::map<std::string, std::string>& others() const { return others_; }

  // The free-form strings of `__metadata__`.
  const std::map<std::string, std::string>& metadata() const {
    return metadata_;
  }

 private:
  Tensors tensors_;
  std::map<std::string, std::string> others_;
  std::map<std::string, std::string> metadata_;
};

// An opened safetensors file. Move-only.
class Safetensors {
 public:
  // Maps and checks `path`. Errors: as of MappedFile::Open and
  // SafetensorsIndex::Parse.
  static absl::StatusOr<Safetensors> Open(const std::string& path);

  const std::string& path() const { return path_; }
  const SafetensorsIndex& index() const { return index_; }
  // The whole file with its header; valid as long as this is.
  std::string_view bytes() const { return file_.bytes(); }

 private:
  Safetensors(std::string path, MappedFile file, SafetensorsIndex index);

  std::string path_;
  // Backs the views of `index_`.
  MappedFile file_;
  SafetensorsIndex index_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_SAFETENSORS_H_
