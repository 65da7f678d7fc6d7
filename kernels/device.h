// A device that runs ops: its kind, its threads and its op table.
#ifndef TESSERA_KERNELS_DEVICE_H_
#define TESSERA_KERNELS_DEVICE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace tessera::kernels {

struct OpTable;

// A place where tensors live and ops run. One engine thread uses a device at
// a time.
class Device {
 public:
  virtual ~Device() = default;

  // Returns the ops of this device's backend.
  virtual const OpTable& ops() const = 0;

  // Returns the name users give it ("cpu"), and one line for logs, such as
  // "cpu AVX3_ZEN4 threads=2".
  virtual std::string name() const = 0;
  virtual std::string description() const = 0;

  // Returns how many threads ops use.
  virtual int threads() const = 0;
};

// Opens the device that `name` asks for: "auto", "cpu" or "cuda:N". `threads`
// is for the CPU; 0 means one a core. Errors: INVALID_ARGUMENT for another
// name or a negative count, UNAVAILABLE for a device this machine or build
// lacks (a CPU needs AVX2 and FMA: without FMA results would differ).
absl::StatusOr<std::unique_ptr<Device>> OpenDevice(const std::string& name,
                                                   int threads);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_DEVICE_H_
