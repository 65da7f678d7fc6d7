#include "kernels/cuda/tiles/encode_tensor_map.h"

#include <algorithm>

namespace tessera::kernels::cuda {
namespace {

// The driver's function, as cuda.h declares it.
using Encode = decltype(&cuTensorMapEncodeTiled);

// The driver's version of the interface that is asked for: 12.0 brought it.
constexpr unsigned kInterface = 12000;

// Returns the driver's name for a swizzle.
CUtensorMapSwizzle ToDriver(TensorSwizzle swizzle) {
  switch (swizzle) {
    case TensorSwizzle::kNone:
      return CU_TENSOR_MAP_SWIZZLE_NONE;
    case TensorSwizzle::k32:
      return CU_TENSOR_MAP_SWIZZLE_32B;
    case TensorSwizzle::k64:
      return CU_TENSOR_MAP_SWIZZLE_64B;
    case TensorSwizzle::k128:
      return CU_TENSOR_MAP_SWIZZLE_128B;
  }
  return CU_TENSOR_MAP_SWIZZLE_NONE;
}

// Finds the driver's function.
cudaError_t FindEncode(Encode* encode) {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result;
  const cudaError_t error = cudaGetDriverEntryPointByVersion(
      "cuTensorMapEncodeTiled", &found, kInterface, cudaEnableDefault, &result);
  if (error != cudaSuccess) return error;
  if (result != cudaDriverEntryPointSuccess || found == nullptr) {
    return cudaErrorNotSupported;
  }
  *encode = reinterpret_cast<Encode>(found);
  return cudaSuccess;
}

}  // namespace

cudaError_t EncodeTensorMap(const TensorMapSpec& spec, DType dtype,
                            CUtensorMap* map) {
  if (!ProblemOf(spec).empty() || spec.element_bytes != 2 ||
      SizeOf(dtype) != 2) {
    return cudaErrorInvalidValue;
  }
  Encode encode = nullptr;
  const cudaError_t error = FindEncode(&encode);
  if (error != cudaSuccess) return error;
  cuuint64_t sizes[TensorMapSpec::kMaxRank];
  cuuint64_t strides[TensorMapSpec::kMaxRank];
  std::copy(spec.sizes.begin(), spec.sizes.end(), sizes);
  std::copy(spec.stride_bytes.begin(), spec.stride_bytes.end(), strides);
  const CUresult result = encode(
      map,
      dtype == DType::kF16 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16
                           : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
      static_cast<cuuint32_t>(spec.rank), const_cast<void*>(spec.address),
      sizes, strides, spec.box.data(), spec.element_strides.data(),
      CU_TENSOR_MAP_INTERLEAVE_NONE, ToDriver(spec.swizzle),
      CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  return result == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;
}

}  // namespace tessera::kernels::cuda
