// The container of a LoRA file, opened without trusting it.
#ifndef TESSERA_WORKER_LORA_ADAPTER_CONTAINER_H_
#define TESSERA_WORKER_LORA_ADAPTER_CONTAINER_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "worker/model/mapped_file.h"
#include "worker/model/safetensors.h"

namespace tessera::lora {

// The most keys that a LoRA file may have: the largest known, of every layer
// of SDXL in nine parts, has a third of it.
constexpr int64_t kMaxAdapterKeys = 65'536;

// A LoRA file that is a safetensors container of bounded size. Move-only.
class AdapterContainer {
 public:
  // Maps and checks `path`. Work is bounded by kMaxAdapterKeys whatever the
  // header claims. Errors: NOT_FOUND, or INVALID_ARGUMENT "path: why" for an
  // empty file, a pickle, what is no safetensors file, or too many keys.
  static absl::StatusOr<AdapterContainer> Open(const std::string& path);

  const std::string& path() const { return path_; }
  const model::SafetensorsIndex& index() const { return index_; }
  std::string_view bytes() const { return file_.bytes(); }

 private:
  AdapterContainer(std::string path, model::MappedFile file,
                   model::SafetensorsIndex index);

  std::string path_;
  model::MappedFile file_;
  model::SafetensorsIndex index_;
};

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_ADAPTER_CONTAINER_H_
