// Elements of the three float types: conversion, packs, dispatch.
#ifndef TESSERA_KERNELS_CUDA_ELEMENT_CUH_
#define TESSERA_KERNELS_CUDA_ELEMENT_CUH_

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <type_traits>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// Widens to f32; exact.
__device__ inline float ToFloat(float x) { return x; }
__device__ inline float ToFloat(__half x) { return __half2float(x); }
__device__ inline float ToFloat(__nv_bfloat16 x) { return __bfloat162float(x); }

// Rounds an f32 to T, to nearest even; f16 overflows to infinity.
template <typename T>
__device__ inline T FromFloat(float x) {
  if constexpr (std::is_same_v<T, float>) {
    return x;
  } else if constexpr (std::is_same_v<T, __half>) {
    return __float2half_rn(x);
  } else {
    return __float2bfloat16_rn(x);
  }
}

// N elements that are loaded and stored by one instruction.
template <typename T, int N>
struct alignas(sizeof(T) * N) Pack {
  T v[N];
};

// Calls `body.template operator()<T>()` with the element type that `dtype`
// names, and returns what it returns; cudaErrorInvalidValue for no float type.
template <typename Body>
cudaError_t DispatchElement(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::kF32:
      return body.template operator()<float>();
    case DType::kF16:
      return body.template operator()<__half>();
    case DType::kBF16:
      return body.template operator()<__nv_bfloat16>();
    default:
      return cudaErrorInvalidValue;
  }
}

// The same for the two 16-bit types.
template <typename Body>
cudaError_t DispatchHalf(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::kF16:
      return body.template operator()<__half>();
    case DType::kBF16:
      return body.template operator()<__nv_bfloat16>();
    default:
      return cudaErrorInvalidValue;
  }
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_ELEMENT_CUH_
