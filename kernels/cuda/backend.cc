#include "kernels/cuda/backend.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "kernels/convert.h"
#include "kernels/cuda/cast.h"
#include "kernels/device.h"

namespace tessera::kernels::cuda {
namespace {

// Bytes of the ring of small copies: rows of samplers and segments of LoRAs
// are a few kilobytes each.
constexpr int64_t kUploadBytes = int64_t{1} << 20;

// The compute capability whose tensor cores cuBLASLt gives scales of rows, and
// the library's version that has them.
constexpr int kFp8Major = 9;
constexpr size_t kFp8Library = 120900;

}  // namespace

Backend::Backend(int ordinal)
    : ordinal_(ordinal), health_(absl::StrCat("cuda:", ordinal)) {}

absl::StatusOr<std::unique_ptr<Backend>> Backend::Create(int ordinal) {
  std::unique_ptr<Backend> backend(new Backend(ordinal));
  Health& health = backend->health_;
  RETURN_IF_ERROR(health.Check(cudaSetDevice(ordinal), "use device"));
  // Apart from the legacy stream, which other libraries of the process may use.
  for (cudaStream_t* const stream : {&backend->queue_, &backend->side_queue_}) {
    RETURN_IF_ERROR(
        health.Check(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking),
                     "create stream"));
  }
  ASSIGN_OR_RETURN(backend->memory_,
                   DeviceMemory::Create(ordinal, backend->queue_, health));
  ASSIGN_OR_RETURN(backend->staging_, Staging::Create(backend->queue_, health));
  // Takes the library's own choice, which is the same on every start.
  ASSIGN_OR_RETURN(backend->gemms_, Gemms::Create(GemmChoice::kFirst, ""));
  ASSIGN_OR_RETURN(backend->convolutions_, Convolutions::Create());
  int major = 0;
  RETURN_IF_ERROR(
      health.Check(cudaDeviceGetAttribute(
                       &major, cudaDevAttrComputeCapabilityMajor, ordinal),
                   "ask the device"));
  backend->multiplies_fp8_ =
      major == kFp8Major && backend->gemms_->library_version() >= kFp8Library;
  ASSIGN_OR_RETURN(backend->uploads_,
                   backend->Own(backend->queue_, kUploadBytes));
  return backend;
}

Backend::~Backend() {
  static_cast<void>(health_.Check(cudaSetDevice(ordinal_), "use device"));
  workspace_.reset();
  uploads_.reset();
  if (queue_ != nullptr) {
    static_cast<void>(
        health_.Check(cudaStreamSynchronize(queue_), "wait for the device"));
  }
  convolutions_.reset();
  gemms_.reset();
  staging_.reset();
  memory_.reset();
  for (const cudaStream_t stream : {side_queue_, queue_}) {
    if (stream == nullptr) continue;
    static_cast<void>(
        health_.Check(cudaStreamDestroy(stream), "destroy stream"));
  }
}

// Costs a comparison where the thread has the device already.
Backend& Backend::Of(const Stream& stream) {
  auto& backend = static_cast<Backend&>(*stream.device().backend());
  static_cast<void>(
      backend.health_.Check(cudaSetDevice(backend.ordinal_), "use device"));
  return backend;
}

absl::Status Backend::Synchronize() {
  return health_.Check(cudaStreamSynchronize(queue_), "wait for the device");
}

absl::Status Backend::BeginRecording() {
  RETURN_IF_ERROR(health_.Check(cudaSetDevice(ordinal_), "use device"));
  auto recording = std::make_unique<GraphRecording>(queue_, health_);
  RETURN_IF_ERROR(recording->Begin());
  // Ops may be given either; a later one that is larger replaces it here alone.
  if (workspace_ != nullptr) recording->Keep(workspace_);
  recording_ = std::move(recording);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Recording>> Backend::EndRecording() {
  std::unique_ptr<GraphRecording> recording = std::move(recording_);
  RETURN_IF_ERROR(recording->End());
  return recording;
}

// Allocates in the order of `stream`; frees in that of the queue.
absl::StatusOr<std::shared_ptr<const OwnedMemory>> Backend::Own(
    cudaStream_t stream, int64_t bytes) {
  ASSIGN_OR_RETURN(void* const data, memory_->AllocateOn(stream, bytes));
  return std::make_shared<const OwnedMemory>(*memory_, data, bytes);
}

// Serves all ops from one place, for they run one after the other. While
// recording it has grown to what the pass needs, for the pass has run before.
absl::StatusOr<void*> Backend::Workspace(int64_t bytes) {
  if (workspace_ == nullptr || workspace_->bytes() < bytes) {
    if (recording_ != nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("workspace grows while recording: ", bytes, " bytes"));
    }
    ASSIGN_OR_RETURN(workspace_, Own(queue_, Memory::RoundUp(bytes)));
  }
  return workspace_->data();
}

absl::StatusOr<const void*> Backend::Upload(const void* data, int64_t bytes) {
  if (recording_ != nullptr) return UploadRecorded(data, bytes);
  if (bytes > kUploadBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("upload: more than ", kUploadBytes, " bytes: ", bytes));
  }
  if (uploaded_ + bytes > kUploadBytes) uploaded_ = 0;
  std::byte* const place =
      static_cast<std::byte*>(uploads_->data()) + uploaded_;
  uploaded_ += Memory::RoundUp(bytes);
  const Shape shape{bytes};
  RETURN_IF_ERROR(staging_->ToDevice(
      {const_cast<void*>(data), DType::kU8, shape, Place::kHost},
      {place, DType::kU8, shape, Place::kDevice}));
  return place;
}

// Copies at once and beside the recording, which then only refers to the copy.
absl::StatusOr<const void*> Backend::UploadRecorded(const void* data,
                                                    int64_t bytes) {
  ASSIGN_OR_RETURN(std::shared_ptr<const OwnedMemory> copy,
                   Own(side_queue_, bytes));
  RETURN_IF_ERROR(health_.Check(
      cudaMemcpyAsync(copy->data(), data, static_cast<size_t>(bytes),
                      cudaMemcpyHostToDevice, side_queue_),
      "upload"));
  RETURN_IF_ERROR(
      health_.Check(cudaStreamSynchronize(side_queue_), "wait for an upload"));
  const void* const place = copy->data();
  recording_->Keep(std::move(copy));
  return place;
}

absl::Status Backend::Copy(const TensorView& source, const TensorView& out) {
  if (source.shape.elements() == 0) return absl::OkStatus();
  const bool from_host = source.place == Place::kHost;
  const bool to_host = out.place == Place::kHost;
  if (recording_ != nullptr && (from_host || to_host)) {
    return absl::FailedPreconditionError(
        "a copy from or to the host cannot be recorded");
  }
  if (from_host && to_host) {
    ConvertElements(source.data, source.dtype, out.data, out.dtype, 0,
                    source.shape.elements());
    return absl::OkStatus();
  }
  if (from_host) return staging_->ToDevice(source, out);
  if (to_host) return staging_->ToHost(source, out);
  return Convert(source, out);
}

// Queues a copy within the device.
absl::Status Backend::Convert(const TensorView& source, const TensorView& out) {
  if (source.dtype == out.dtype) {
    return health_.Check(cudaMemcpyAsync(out.data, source.data,
                                         static_cast<size_t>(source.bytes()),
                                         cudaMemcpyDeviceToDevice, queue_),
                         "copy on device");
  }
  return health_.Check(LaunchCast({.input = source.data,
                                   .input_dtype = source.dtype,
                                   .out = out.data,
                                   .out_dtype = out.dtype,
                                   .elements = source.shape.elements()},
                                  queue_),
                       "cast");
}

void Backend::Report(Stream& stream, cudaError_t error, std::string_view op,
                     const Shape& shape) {
  if (error == cudaSuccess) return;
  stream.Fail(health_.Check(
      error, absl::StrCat(std::string(op), " of ", shape.ToString())));
}

}  // namespace tessera::kernels::cuda
