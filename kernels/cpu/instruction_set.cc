#include "kernels/cpu/instruction_set.h"

#include "kernels/cpu/targets.h"
// Highway reads HWY_DISABLED_TARGETS, so targets.h comes first.
#include "hwy/highway.h"
#include "hwy/targets.h"

namespace tessera::kernels::cpu {

// Asks for one of the two targets that targets.h leaves in with fused
// multiply-add.
bool HasFusedMultiplyAdd() {
  return (hwy::SupportedTargets() & (HWY_AVX2 | HWY_AVX3)) != 0;
}

const char* InstructionSet() {
  return (hwy::SupportedTargets() & HWY_AVX3) != 0 ? "AVX-512" : "AVX2";
}

}  // namespace tessera::kernels::cpu
