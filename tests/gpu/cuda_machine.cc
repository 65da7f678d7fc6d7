#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstdlib>

#include "tests/gpu/machine.h"

namespace tessera::kernels::cuda {
namespace {

// Ends the test program: after a device error nothing later means anything.
void Require(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
  std::abort();
}

}  // namespace

std::string WhyNoDevice() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    return std::string("no CUDA device: ") + cudaGetErrorString(error);
  }
  return count > 0 ? "" : "no CUDA device: the driver lists none";
}

bool IsEmulation() { return false; }

DeviceBuffer::DeviceBuffer(int64_t bytes) : bytes_(bytes) {
  Require(cudaMalloc(&data_, static_cast<size_t>(bytes)), "cudaMalloc");
  Require(cudaMemset(data_, 0xFF, static_cast<size_t>(bytes)), "cudaMemset");
}

DeviceBuffer::DeviceBuffer(const void* host, int64_t bytes)
    : DeviceBuffer(bytes) {
  Require(cudaMemcpy(data_, host, static_cast<size_t>(bytes),
                     cudaMemcpyHostToDevice),
          "cudaMemcpy to the device");
}

DeviceBuffer::~DeviceBuffer() { Require(cudaFree(data_), "cudaFree"); }

void DeviceBuffer::Download(void* host) const {
  Require(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  Require(cudaMemcpy(host, data_, static_cast<size_t>(bytes_),
                     cudaMemcpyDeviceToHost),
          "cudaMemcpy from the device");
}

}  // namespace tessera::kernels::cuda
