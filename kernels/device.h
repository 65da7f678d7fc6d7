// A device: where ops run, with what resources.
#ifndef TESSERA_KERNELS_DEVICE_H_
#define TESSERA_KERNELS_DEVICE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace tessera::kernels {

struct OpTable;

namespace cpu {
class ThreadPool;
}  // namespace cpu

// Kinds of devices for which there may be a backend.
enum class DeviceKind { kCpu };

// Owns what ops need at run time: threads and their workspaces. Thread-safe:
// streams on one device take turns, op by op.
class Device {
 public:
  // Takes over the threads; `ops` is a table of static lifetime.
  Device(DeviceKind kind, const OpTable& ops,
         std::unique_ptr<cpu::ThreadPool> pool, std::string description);
  ~Device();

  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  DeviceKind kind() const { return kind_; }
  const OpTable& ops() const { return ops_; }
  cpu::ThreadPool& pool() const { return *pool_; }
  // Returns how many threads share an op, the calling one included.
  int threads() const;

  // The name users give it, e.g. "cpu".
  std::string name() const;

  // One line for logs, e.g. "cpu: AVX3, 2 threads".
  const std::string& description() const { return description_; }

 private:
  DeviceKind kind_;
  const OpTable& ops_;
  std::unique_ptr<cpu::ThreadPool> pool_;
  std::string description_;
};

// Creates the CPU device with `threads` threads, the caller's included.
// Errors: INVALID_ARGUMENT for threads < 1, FAILED_PRECONDITION when the
// processor lacks fused multiply-add (AVX2), on which equal bits depend.
absl::StatusOr<std::unique_ptr<Device>> CreateCpuDevice(int threads);

// Opens the device a user names: "auto", "cpu" or "cuda:N". `threads` is for
// the CPU; 0 means one a core. Errors: INVALID_ARGUMENT for another name or
// number of threads, FAILED_PRECONDITION for a device that this build or
// machine lacks.
absl::StatusOr<std::unique_ptr<Device>> OpenDevice(const std::string& name,
                                                   int threads);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_DEVICE_H_
