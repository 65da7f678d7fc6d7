// A device: where ops run, with what resources.
#ifndef TESSERA_KERNELS_DEVICE_H_
#define TESSERA_KERNELS_DEVICE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/device_backend.h"
#include "kernels/dtype.h"
#include "kernels/memory.h"

namespace tessera::kernels {

struct OpTable;

namespace cpu {
class ThreadPool;
}  // namespace cpu

// What a device is made of.
struct DeviceParts {
  std::string name;    // as users give it
  const OpTable& ops;  // of static lifetime
  // What activations and weights are stored as.
  DType compute_dtype = DType::kF32;
  // Threads of the host that share an op; null for a device without any. Not
  // shared, but destroyed without its type being known.
  std::shared_ptr<cpu::ThreadPool> pool;
  // Null for the CPU, whose ops have ended when they return. Shared with
  // devices that differ in the type they compute in alone.
  std::shared_ptr<DeviceBackend> backend;
  std::string description;
};

// Owns what ops need at run time: memory, and threads and their workspaces or
// a connection to a GPU. Thread-safe: streams on one device take turns, op by
// op.
class Device {
 public:
  explicit Device(DeviceParts parts);
  ~Device();

  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Returns this device as one that computes in `dtype`: it has the same
  // memory and the same queue. Streams of both work in the order of the calls.
  std::unique_ptr<Device> ComputingIn(DType dtype) const;

  const OpTable& ops() const { return parts_.ops; }
  // The type of activations and weights: f32, f16 or bf16.
  DType compute_dtype() const { return parts_.compute_dtype; }
  // Where tensors lie that ops take.
  Memory& memory() const;
  // Whether tensors lie in memory that the host cannot read.
  bool has_own_memory() const { return memory().place() == Place::kDevice; }
  // Null for the CPU.
  DeviceBackend* backend() const { return parts_.backend.get(); }
  // For the CPU's ops alone.
  cpu::ThreadPool& pool() const { return *parts_.pool; }
  // Returns how many threads share an op, the calling one included.
  int threads() const;

  // Says whether the device can still be used; once it is not OK it stays the
  // same error, and only a new process gets the device back.
  absl::Status health() const;

  // The name users give it, e.g. "cpu" or "cuda:0".
  const std::string& name() const { return parts_.name; }

  // One line for logs, e.g. "cpu: AVX3, 2 threads".
  const std::string& description() const { return parts_.description; }

 private:
  DeviceParts parts_;
};

// Creates the CPU device with `threads` threads, the caller's included.
// Errors: INVALID_ARGUMENT for threads < 1, FAILED_PRECONDITION when the
// processor lacks fused multiply-add (AVX2), on which equal bits depend.
absl::StatusOr<std::unique_ptr<Device>> CreateCpuDevice(int threads);

// Opens the device a user names: "cpu", "cuda:N", or "auto", which is the
// first GPU where one can be used and else the CPU. `threads` is for the CPU;
// 0 means one a core. Errors: INVALID_ARGUMENT for another name or number of
// threads, FAILED_PRECONDITION with the reason for a device that this build or
// machine lacks.
absl::StatusOr<std::unique_ptr<Device>> OpenDevice(const std::string& name,
                                                   int threads);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_DEVICE_H_
