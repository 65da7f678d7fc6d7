#include "kernels/cuda/cudnn_descriptor.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::kernels::cuda {

CudnnDescriptor::CudnnDescriptor(const CudnnLibrary& library,
                                 cudnnBackendDescriptorType_t type)
    : library_(&library), handle_(nullptr, {&library}) {
  cudnnBackendDescriptor_t descriptor = nullptr;
  error_ = library.ToStatus(library.create_descriptor(type, &descriptor),
                            "cudnnBackendCreateDescriptor");
  handle_.reset(descriptor);
}

CudnnDescriptor& CudnnDescriptor::SetDescriptors(
    cudnnBackendAttributeName_t name, std::span<const CudnnDescriptor> values) {
  std::vector<cudnnBackendDescriptor_t> raw;
  for (const CudnnDescriptor& value : values) raw.push_back(value.get());
  return Set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR,
             std::span<const cudnnBackendDescriptor_t>(raw));
}

// Names the attribute by its number in cudnn_graph.h, for it has no other.
void CudnnDescriptor::SetRaw(cudnnBackendAttributeName_t name,
                             cudnnBackendAttributeType_t type, int64_t count,
                             const void* values) {
  if (!error_.ok()) return;
  const std::string what =
      absl::StrCat("cudnnBackendSetAttribute(", static_cast<int>(name), ")");
  error_ = library_->ToStatus(
      library_->set_attribute(handle_.get(), name, type, count, values),
      what.c_str());
}

absl::Status CudnnDescriptor::Finalize() {
  RETURN_IF_ERROR(error_);
  return library_->ToStatus(library_->finalize(handle_.get()),
                            "cudnnBackendFinalize");
}

absl::Status CudnnDescriptor::GetRaw(cudnnBackendAttributeName_t name,
                                     cudnnBackendAttributeType_t type,
                                     int64_t limit, int64_t* count,
                                     void* values) const {
  const std::string what =
      absl::StrCat("cudnnBackendGetAttribute(", static_cast<int>(name), ")");
  return library_->ToStatus(
      library_->get_attribute(handle_.get(), name, type, limit, count, values),
      what.c_str());
}

absl::StatusOr<int64_t> CudnnDescriptor::GetInt(
    cudnnBackendAttributeName_t name) const {
  ASSIGN_OR_RETURN(const std::vector<int64_t> values,
                   Get<int64_t>(name, CUDNN_TYPE_INT64, 1));
  if (values.empty()) {
    return absl::InternalError(
        absl::StrCat("cuDNN: no value of attribute: ", static_cast<int>(name)));
  }
  return values.front();
}

// The library writes into descriptors that the caller has made.
absl::StatusOr<std::vector<CudnnDescriptor>> CudnnDescriptor::GetDescriptors(
    cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
    int64_t limit) const {
  std::vector<CudnnDescriptor> descriptors;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < limit; ++i) {
    descriptors.emplace_back(*library_, type);
    raw.push_back(descriptors.back().get());
  }
  int64_t count = 0;
  RETURN_IF_ERROR(
      GetRaw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, limit, &count, raw.data()));
  while (static_cast<int64_t>(descriptors.size()) > count) {
    descriptors.pop_back();
  }
  return descriptors;
}

}  // namespace tessera::kernels::cuda
