// Runs the attention of the tensor cores on the emulated thread block.
#ifndef TESSERA_TESTS_KERNELS_CUDA_ATTENTION_EMULATED_ATTENTION_H_
#define TESSERA_TESTS_KERNELS_CUDA_ATTENTION_EMULATED_ATTENTION_H_

#include <string>
#include <vector>

#include "kernels/cuda/attention/params.h"
#include "tests/kernels/cuda/attention/bank_conflicts.h"

namespace tessera::kernels::cuda {

// What a run showed besides its outputs.
struct EmulationReport {
  std::vector<std::string> violations;  // the first thread block's that had any
  BankConflicts conflicts;              // of all thread blocks
};

// Runs kMmaShapes[shape] over the whole grid, as its launch would.
EmulationReport EmulateMmaAttention(int shape, const AttentionParams& params);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_TESTS_KERNELS_CUDA_ATTENTION_EMULATED_ATTENTION_H_
