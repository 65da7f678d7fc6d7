// What the tests of CUDA kernels share: tensors of any float type on the
// device, and comparison with the CPU's ops.
#ifndef TESSERA_TESTS_GPU_KERNEL_TEST_H_
#define TESSERA_TESTS_GPU_KERNEL_TEST_H_

#include <cuda_runtime_api.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/dtype.h"
#include "kernels/stream.h"
#include "kernels/tensor.h"
#include "tests/gpu/machine.h"

namespace tessera::kernels::cuda {

// A suite that is skipped, with its reason, where no kernel can run.
class KernelTest : public testing::TestWithParam<DType> {
 protected:
  void SetUp() override;
};

// The types of activations, for INSTANTIATE_TEST_SUITE_P.
inline const auto kElementTypes = testing::Values(DType::kF16, DType::kBF16);

// Returns the name of a case for its element type.
std::string NameOf(const testing::TestParamInfo<DType>& info);

// Half a unit in the last place of 1: the rounding error of one result.
double Rounding(DType dtype);

// Returns an f32 tensor's values rounded to `dtype`, as f32.
Tensor Rounded(const Tensor& values, DType dtype);

// Copies an f32 tensor to the device as `dtype`.
DeviceBuffer Upload(const Tensor& values, DType dtype);

// Copies values back as f32.
Tensor Fetch(const DeviceBuffer& buffer, const Shape& shape, DType dtype);

// Runs an op of the CPU, which must succeed.
void OnCpu(const std::function<void(Stream&)>& op);

// Expects every element within `relative` of the larger of its own magnitude
// and the root mean square of `expected`.
void ExpectClose(const Tensor& actual, const Tensor& expected, double relative);

// Returns the bytes that `launch` leaves in a fresh buffer of `bytes`.
std::vector<uint8_t> BytesOf(int64_t bytes,
                             const std::function<cudaError_t(void*)>& launch);

// Expects 50 runs of `launch` (3 on the emulation) to leave the same bytes in
// buffers of `bytes`.
void ExpectRepeatable(int64_t bytes,
                      const std::function<cudaError_t(void*)>& launch);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_TESTS_GPU_KERNEL_TEST_H_
