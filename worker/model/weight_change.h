// What an adapter that is not low-rank does to a layer's weights.
#ifndef TESSERA_WORKER_MODEL_WEIGHT_CHANGE_H_
#define TESSERA_WORKER_MODEL_WEIGHT_CHANGE_H_

#include <cstdint>
#include <span>

namespace tessera::model {

// A change of one tensor of a layer, computed from its pristine values, so
// that the order of several changes does not matter. Immutable; thread-safe.
class WeightChange {
 public:
  virtual ~WeightChange() = default;

  // Adds to `sum` what the tensor changes by at `strength`. `pristine` are the
  // model's own values in the checkpoint's order ([outputs, inputs] or
  // [outputs, inputs, kernel, kernel], row-major); `sum` has as many.
  virtual void AddTo(std::span<const float> pristine, double strength,
                     std::span<double> sum) const = 0;

  // Elements of the tensor that it changes.
  virtual int64_t elements() const = 0;

  // Bytes held.
  virtual int64_t bytes() const = 0;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_WEIGHT_CHANGE_H_
