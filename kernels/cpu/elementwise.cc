#include "kernels/ops/elementwise.h"

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/elementwise.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h, as Highway asks.
#include <algorithm>

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels::cpu {
namespace HWY_NAMESPACE {

// Elements a task takes: a multiple of every vector width, so that only the
// tensor's end is a partial vector.
inline constexpr int64_t kElements = 4096;

// Calls body(i, left) for every vector of n elements, `left` of which exist.
template <class Body>
HWY_INLINE void ForVectors(ThreadPool& pool, int64_t n, const Body& body) {
  pool.ParallelFor(
      (n + kElements - 1) / kElements, [&](int64_t begin, int64_t end, int) {
        // Ends with the tensor, whose last task may be short.
        const int64_t last = std::min(n, end * kElements);
        for (int64_t i = begin * kElements; i < last; i += kLanes) {
          body(i, last - i);
        }
      });
}

// Reads both operands before it writes, so `out` may be either of them.
void AddOnTarget(ThreadPool& pool, const AddArgs& args) {
  const float* const a = args.a.f32();
  const float* const b = args.b.f32();
  float* const out = args.out.f32();
  ForVectors(pool, args.out.shape.elements(), [&](int64_t i, int64_t left) {
    StoreSome(hn::Add(LoadSome(a + i, left), LoadSome(b + i, left)), out + i,
              left);
  });
}

// Applies one activation, chosen for the whole tensor by the arguments.
void ActivateOnTarget(ThreadPool& pool, const ActivateArgs& args) {
  const float* const x = args.input.f32();
  float* const out = args.out.f32();
  ForVectors(pool, args.out.shape.elements(), [&](int64_t i, int64_t left) {
    StoreSome(Apply(args.activation, LoadSome(x + i, left)), out + i, left);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::kernels::cpu {

HWY_EXPORT(AddOnTarget);
HWY_EXPORT(ActivateOnTarget);

void Add(Stream& stream, const AddArgs& args) {
  HWY_DYNAMIC_DISPATCH(AddOnTarget)(stream.device().pool(), args);
}

void Activate(Stream& stream, const ActivateArgs& args) {
  HWY_DYNAMIC_DISPATCH(ActivateOnTarget)(stream.device().pool(), args);
}

}  // namespace tessera::kernels::cpu
#endif  // HWY_ONCE
