#include "kernels/cuda/attention/plan.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "kernels/cuda/attention/hopper_shape.h"
#include "kernels/cuda/attention/task.h"

namespace tessera::kernels::cuda {
namespace {

// Memory that looks aligned; nothing here reads it.
alignas(16) uint16_t memory[64];

constexpr AttentionDevice kA100 = {80, 163 * 1024};
constexpr AttentionDevice kH100 = {90, 227 * 1024};
constexpr AttentionDevice kB200 = {100, 227 * 1024};
constexpr AttentionDevice kT4 = {75, 64 * 1024};

// The self-attention of a UNet, q, k and v side by side.
AttentionParams Params() {
  return {.q = {memory, 3 * 320, 0},
          .k = {memory, 3 * 320, 320},
          .v = {memory, 3 * 320, 640},
          .out = memory,
          .n = 2,
          .queries = 4096,
          .keys = 4096,
          .heads = 8,
          .head_dim = 40,
          .scale = 0.158f,
          .dtype = DType::kF16};
}

TEST(AttentionPlanTest, AcceptsSoundParameters) {
  EXPECT_TRUE(IsValid(Params()));
  EXPECT_TRUE(IsAligned(Params()));
}

TEST(AttentionPlanTest, RefusesWhatDoesNotFit) {
  const auto refuses = [](auto change) {
    AttentionParams params = Params();
    change(params);
    return !IsValid(params);
  };
  EXPECT_TRUE(refuses([](auto& p) { p.keys = 0; }));
  EXPECT_TRUE(refuses([](auto& p) { p.head_dim = 0; }));
  EXPECT_TRUE(refuses([](auto& p) { p.head_dim = 1025, p.q.pitch = 1e6; }));
  EXPECT_TRUE(refuses([](auto& p) { p.heads = 0; }));
  EXPECT_TRUE(refuses([](auto& p) { p.heads = 65536; }));
  EXPECT_TRUE(refuses([](auto& p) { p.n = -1; }));
  EXPECT_TRUE(refuses([](auto& p) { p.n = 65536; }));
  EXPECT_TRUE(refuses([](auto& p) { p.queries = -1; }));
  EXPECT_TRUE(refuses([](auto& p) { p.v.column = 641; }));
  EXPECT_TRUE(refuses([](auto& p) { p.k.column = -1; }));
  EXPECT_TRUE(refuses([](auto& p) { p.q.data = nullptr; }));
  EXPECT_TRUE(refuses([](auto& p) { p.out = nullptr; }));
  EXPECT_TRUE(refuses([](auto& p) { p.causal = true, p.keys = 77; }));
  EXPECT_TRUE(refuses([](auto& p) { p.dtype = DType::kF32; }));
  EXPECT_TRUE(refuses([](auto& p) { p.scale = NAN; }));
}

TEST(AttentionPlanTest, TensorCoresServeAlignedHeads) {
  const AttentionPlan plan =
      PlanAttention(Params(), AttentionVariant::kMma, kA100);

  EXPECT_EQ(plan.kernel, AttentionKernel::kMma);
  EXPECT_EQ(kMmaShapes[plan.shape].head_dim, 40);
}

TEST(AttentionPlanTest, RowsServeAllElse) {
  const auto kernel = [](auto change) {
    AttentionParams params = Params();
    change(params);
    EXPECT_TRUE(IsValid(params));
    return PlanAttention(params, AttentionVariant::kMma, kA100).kernel;
  };
  EXPECT_EQ(kernel([](auto& p) { p.head_dim = 36; }), AttentionKernel::kRow);
  EXPECT_EQ(kernel([](auto& p) { p.k.column = 324; }), AttentionKernel::kRow);
  EXPECT_EQ(kernel([](auto& p) { p.v.pitch = 964; }), AttentionKernel::kRow);
  EXPECT_EQ(kernel([](auto& p) { p.q.data = memory + 4; }),
            AttentionKernel::kRow);
  EXPECT_EQ(kernel([](auto& p) { p.out = memory + 1; }), AttentionKernel::kRow);
  EXPECT_EQ(kernel([](auto& p) { p.scale = -1; }), AttentionKernel::kRow);
  EXPECT_EQ(kernel([](auto& p) {
              p.heads = 1, p.head_dim = 640;
              p.q.pitch = p.k.pitch = p.v.pitch = 3 * 640;
            }),
            AttentionKernel::kRow);
  EXPECT_EQ(PlanAttention(Params(), AttentionVariant::kMma, kT4).kernel,
            AttentionKernel::kRow);
}

TEST(AttentionPlanTest, HopperIsAnOptionForItsDeviceAndHeads) {
  const auto plan = [](int64_t head_dim, int64_t keys, AttentionVariant variant,
                       const AttentionDevice& device) {
    AttentionParams params = Params();
    params.heads = 1;
    params.head_dim = head_dim;
    params.keys = keys;
    EXPECT_TRUE(IsValid(params));
    return PlanAttention(params, variant, device);
  };
  const auto hopper = AttentionVariant::kHopper;
  for (const int64_t head_dim : {40, 64, 80, 128}) {
    const AttentionPlan chosen = plan(head_dim, 4096, hopper, kH100);
    EXPECT_EQ(chosen.kernel, AttentionKernel::kHopper);
    EXPECT_EQ(kHopperShapes[chosen.shape].head_dim, head_dim <= 64 ? 64 : 128);
    for (const AttentionDevice& device : {kA100, kB200}) {
      EXPECT_EQ(plan(head_dim, 4096, hopper, device).kernel,
                AttentionKernel::kMma);
    }
    EXPECT_EQ(plan(head_dim, 77, hopper, kH100).kernel, AttentionKernel::kMma);
    EXPECT_EQ(plan(head_dim, 4096, AttentionVariant::kMma, kH100).kernel,
              AttentionKernel::kMma);
  }
  for (const int64_t head_dim : {8, 32, 160, 320}) {
    EXPECT_EQ(plan(head_dim, 4096, hopper, kH100).kernel,
              AttentionKernel::kMma);
  }
  EXPECT_EQ(plan(36, 4096, hopper, kH100).kernel, AttentionKernel::kRow);
}

TEST(AttentionPlanTest, NothingToDoIsPlannedAsNothing) {
  AttentionParams params = Params();
  params.n = 0;
  EXPECT_EQ(PlanAttention(params, AttentionVariant::kMma, kA100).kernel,
            AttentionKernel::kNone);
  params.n = 1;
  params.queries = 0;
  EXPECT_EQ(PlanAttention(params, AttentionVariant::kMma, kA100).kernel,
            AttentionKernel::kNone);
}

TEST(AttentionPlanTest, BatchAndQueriesDoNotMatter) {
  const AttentionPlan plan =
      PlanAttention(Params(), AttentionVariant::kMma, kA100);
  for (const int64_t n : {1, 2, 32}) {
    for (const int64_t queries : {1, 64, 4096}) {
      AttentionParams params = Params();
      params.n = n;
      params.queries = queries;
      EXPECT_EQ(PlanAttention(params, AttentionVariant::kMma, kA100).shape,
                plan.shape);
    }
  }
}

TEST(AttentionTaskTest, FindsAHeadBeyondThirtyTwoBits) {
  AttentionParams params = Params();
  const auto start = uintptr_t{1} << 20;  // never read
  params.q.data = params.k.data = params.v.data =
      reinterpret_cast<const void*>(start);
  params.out = reinterpret_cast<void*>(start);
  params.n = 65535;
  params.queries = params.keys = 65536;

  const AttentionTask task = TaskOf(params, 60000, 7, 128);

  const int64_t row = int64_t{60000} * 65536;
  const auto offset = [&](const void* p) {
    return static_cast<int64_t>(reinterpret_cast<uintptr_t>(p) - start) / 2;
  };
  EXPECT_EQ(offset(task.q.data), row * 960 + 280);
  EXPECT_EQ(offset(task.k.data), row * 960 + 320 + 280);
  EXPECT_EQ(offset(task.v.data), row * 960 + 640 + 280);
  EXPECT_EQ(offset(task.out), row * 320 + 280);
  EXPECT_EQ(task.out_pitch, 320);
  EXPECT_EQ(task.k.columns, 40);
  EXPECT_FLOAT_EQ(task.scale_log2, 0.158f * 1.442695f);
}

}  // namespace
}  // namespace tessera::kernels::cuda
