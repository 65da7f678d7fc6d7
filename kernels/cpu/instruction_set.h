// What this processor can do.
#ifndef TESSERA_KERNELS_CPU_INSTRUCTION_SET_H_
#define TESSERA_KERNELS_CPU_INSTRUCTION_SET_H_

namespace tessera::kernels::cpu {

// Returns whether a target with fused multiply-add is usable.
bool HasFusedMultiplyAdd();

// Returns the widest usable instruction set: "AVX-512" or "AVX2".
const char* InstructionSet();

}  // namespace tessera::kernels::cpu

#endif  // TESSERA_KERNELS_CPU_INSTRUCTION_SET_H_
