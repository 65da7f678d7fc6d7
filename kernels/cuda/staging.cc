#include "kernels/cuda/staging.h"

#include <algorithm>

#include "common/status_macros.h"
#include "kernels/convert.h"

namespace tessera::kernels::cuda {
namespace {

// Returns the address of element `i`.
std::byte* Element(const TensorView& view, int64_t i) {
  return static_cast<std::byte*>(view.data) + i * SizeOf(view.dtype);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Staging>> Staging::Create(cudaStream_t stream,
                                                         Health& health) {
  std::unique_ptr<Staging> staging(new Staging(stream, health));
  for (Buffer& buffer : staging->buffers_) {
    void* data = nullptr;
    RETURN_IF_ERROR(
        health.Check(cudaHostAlloc(&data, static_cast<size_t>(kBufferBytes),
                                   cudaHostAllocDefault),
                     "allocate pinned memory"));
    buffer.data = static_cast<std::byte*>(data);
    RETURN_IF_ERROR(health.Check(
        cudaEventCreateWithFlags(&buffer.free, cudaEventDisableTiming),
        "create event"));
  }
  return staging;
}

Staging::~Staging() {
  for (const Buffer& buffer : buffers_) {
    if (buffer.free != nullptr) {
      static_cast<void>(
          health_.Check(cudaEventDestroy(buffer.free), "destroy event"));
    }
    static_cast<void>(
        health_.Check(cudaFreeHost(buffer.data), "free pinned memory"));
  }
}

// Returns at most kBufferBytes of pinned memory for one copy that is queued
// next. Moves to the other buffer when this one is full: notes when the device
// will be through with this one, and waits for the other.
absl::StatusOr<std::byte*> Staging::Take(int64_t bytes) {
  if (used_ + bytes > kBufferBytes) {
    RETURN_IF_ERROR(health_.Check(
        cudaEventRecord(buffers_[current_].free, stream_), "record event"));
    current_ = 1 - current_;
    used_ = 0;
    RETURN_IF_ERROR(health_.Check(cudaEventSynchronize(buffers_[current_].free),
                                  "wait for a copy"));
  }
  std::byte* const taken = buffers_[current_].data + used_;
  used_ += bytes;
  return taken;
}

absl::Status Staging::ToDevice(const TensorView& host,
                               const TensorView& device) {
  const int64_t elements = device.shape.elements();
  const int64_t size = SizeOf(device.dtype), step = kPartBytes / size;
  for (int64_t begin = 0; begin < elements; begin += step) {
    const int64_t count = std::min(step, elements - begin);
    ASSIGN_OR_RETURN(std::byte* const pinned, Take(count * size));
    ConvertElements(Element(host, begin), host.dtype, pinned, device.dtype, 0,
                    count);
    RETURN_IF_ERROR(
        health_.Check(cudaMemcpyAsync(Element(device, begin), pinned,
                                      static_cast<size_t>(count * size),
                                      cudaMemcpyHostToDevice, stream_),
                      "copy to device"));
  }
  return absl::OkStatus();
}

// Waits for each part: what is copied to the host is small.
absl::Status Staging::ToHost(const TensorView& device, const TensorView& host) {
  const int64_t elements = device.shape.elements();
  const int64_t size = SizeOf(device.dtype), step = kBufferBytes / size;
  for (int64_t begin = 0; begin < elements; begin += step) {
    const int64_t count = std::min(step, elements - begin);
    ASSIGN_OR_RETURN(std::byte* const pinned, Take(count * size));
    RETURN_IF_ERROR(
        health_.Check(cudaMemcpyAsync(pinned, Element(device, begin),
                                      static_cast<size_t>(count * size),
                                      cudaMemcpyDeviceToHost, stream_),
                      "copy to host"));
    RETURN_IF_ERROR(
        health_.Check(cudaStreamSynchronize(stream_), "wait for the device"));
    ConvertElements(pinned, device.dtype, Element(host, begin), host.dtype, 0,
                    count);
  }
  return absl::OkStatus();
}

}  // namespace tessera::kernels::cuda
