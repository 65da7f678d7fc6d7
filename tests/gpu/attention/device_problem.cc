#include "tests/gpu/attention/device_problem.h"

#include <cstring>

#include "kernels/cuda/attention/attention.h"

namespace tessera::kernels::cuda {
namespace {

// Rows of NaN around an operand, in elements: a multiple of 16 bytes.
constexpr int64_t kGuard = 4096;

}  // namespace

DeviceProblem::DeviceProblem(const AttentionProblem& problem)
    : problem_(problem), params_(problem_.params()) {
  AttentionOperand* const operands[] = {&params_.q, &params_.k, &params_.v};
  for (int which = 0; which < 3; ++which) {
    const HalfRows& rows = problem_.operand(which);
    std::vector<uint16_t> guarded(rows.size() + 2 * kGuard, 0x7FFF);
    std::memcpy(guarded.data() + kGuard, rows.data(), rows.size() * 2);
    operands_.push_back(
        std::make_unique<DeviceBuffer>(guarded.data(), guarded.size() * 2));
    operands[which]->data =
        static_cast<uint16_t*>(operands_.back()->data()) + kGuard;
  }
}

cudaError_t DeviceProblem::Run(AttentionVariant variant) {
  out_ = std::make_unique<DeviceBuffer>(problem_.out().size() * 2);
  params_.out = out_->data();
  const cudaError_t error = LaunchAttention(params_, variant, nullptr);
  return error != cudaSuccess ? error : cudaDeviceSynchronize();
}

std::vector<uint16_t> DeviceProblem::Answer() {
  std::vector<uint16_t> answer(problem_.out().size());
  out_->Download(answer.data());
  std::memcpy(problem_.out().data(), answer.data(), answer.size() * 2);
  return answer;
}

}  // namespace tessera::kernels::cuda
