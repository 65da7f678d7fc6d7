// A descriptor of cuDNN's graph API: attributes are set, then it is final.
#ifndef TESSERA_KERNELS_CUDA_CUDNN_DESCRIPTOR_H_
#define TESSERA_KERNELS_CUDA_CUDNN_DESCRIPTOR_H_

#include <cudnn_graph.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/cuda/cudnn_library.h"

namespace tessera::kernels::cuda {

// Owns one descriptor. Setters latch the first error, which Finalize returns,
// so that a description reads as a list. Thread-compatible.
class CudnnDescriptor {
 public:
  // Makes a descriptor of a kind; the library must outlive it.
  CudnnDescriptor(const CudnnLibrary& library,
                  cudnnBackendDescriptorType_t type);

  // Sets an attribute to `values`, whose type is the attribute's.
  template <typename T>
  CudnnDescriptor& Set(cudnnBackendAttributeName_t name,
                       cudnnBackendAttributeType_t type,
                       std::span<const T> values) {
    SetRaw(name, type, static_cast<int64_t>(values.size()), values.data());
    return *this;
  }
  template <typename T>
  CudnnDescriptor& Set(cudnnBackendAttributeName_t name,
                       cudnnBackendAttributeType_t type, const T& value) {
    SetRaw(name, type, 1, &value);
    return *this;
  }
  CudnnDescriptor& SetInts(cudnnBackendAttributeName_t name,
                           const std::vector<int64_t>& values) {
    return Set(name, CUDNN_TYPE_INT64, std::span<const int64_t>(values));
  }
  CudnnDescriptor& SetDescriptor(cudnnBackendAttributeName_t name,
                                 const CudnnDescriptor& value) {
    return Set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, value.get());
  }
  CudnnDescriptor& SetDescriptors(cudnnBackendAttributeName_t name,
                                  std::span<const CudnnDescriptor> values);

  // Ends the description. Errors: the first of Set's, UNIMPLEMENTED where the
  // library lacks support, INTERNAL otherwise.
  absl::Status Finalize();

  // Returns up to `limit` values of an attribute.
  template <typename T>
  absl::StatusOr<std::vector<T>> Get(cudnnBackendAttributeName_t name,
                                     cudnnBackendAttributeType_t type,
                                     int64_t limit) const {
    std::vector<T> values(static_cast<size_t>(limit));
    int64_t count = 0;
    const absl::Status status =
        GetRaw(name, type, limit, &count, values.data());
    if (!status.ok()) return status;
    values.resize(static_cast<size_t>(count < limit ? count : limit));
    return values;
  }
  // Returns one number.
  absl::StatusOr<int64_t> GetInt(cudnnBackendAttributeName_t name) const;
  // Returns up to `limit` descriptors of kind `type`.
  absl::StatusOr<std::vector<CudnnDescriptor>> GetDescriptors(
      cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
      int64_t limit) const;

  cudnnBackendDescriptor_t get() const { return handle_.get(); }

 private:
  // Destroys by the library's function.
  struct Destroy {
    const CudnnLibrary* library;
    void operator()(void* descriptor) const {
      library->destroy_descriptor(descriptor);
    }
  };

  void SetRaw(cudnnBackendAttributeName_t name,
              cudnnBackendAttributeType_t type, int64_t count,
              const void* values);
  absl::Status GetRaw(cudnnBackendAttributeName_t name,
                      cudnnBackendAttributeType_t type, int64_t limit,
                      int64_t* count, void* values) const;

  const CudnnLibrary* library_;
  std::unique_ptr<void, Destroy> handle_;
  absl::Status error_;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_CUDNN_DESCRIPTOR_H_
