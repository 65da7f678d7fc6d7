// Asks cuDNN for the engines of the models' convolutions on an H200 that is
// only described: no device is needed, but the library is.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "kernels/cuda/conv2d_graph.h"

namespace tessera::kernels::cuda {
namespace {

// What an H200 says of itself; fields as in cuDNN's own description. The
// clocks and the address are no part of any decision.
std::string DescribeH200(size_t cudnn_version) {
  return R"({"cudaDeviceId": 0, "deviceVer": 900, "driverVer": 13000,
             "cudnnVersion": )" +
         std::to_string(cudnn_version) +
         R"(, "schemaVersion": 1, "deviceName": "NVIDIA H200",
             "multiProcessorCount": 132, "warpSize": 32,
             "maxGridSize": [2147483647, 65535, 65535],
             "maxBlockSize": [1024, 1024, 64], "regsPerBlock": 65536,
             "maxRegistersPerSM": 65536, "maxSharedMemoryPerBlock": 49152,
             "maxSharedMemoryPerBlockOptin": 232448,
             "reservedSharedMemoryPerBlock": 1024, "maxCtasPerSM": 32,
             "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048,
             "smClockRateKHz": 1980000, "memClockRateKHz": 3201000,
             "l2CacheSize": 62914560, "totalGlobalMem": 150754820096,
             "pciDeviceId": 0, "isTccDriver": 0,
             "supportCoopLaunch": 1})";
}

class Conv2dEnginesTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<const CudnnLibrary>> library = LoadCudnn();
    if (!library.ok()) GTEST_SKIP() << library.status();
    library_ = *std::move(library);
    absl::StatusOr<CudnnTarget> target = CudnnTarget::Described(
        *library_, DescribeH200(library_->get_version()));
    ASSERT_TRUE(target.ok()) << target.status();
    target_ = std::make_unique<CudnnTarget>(*std::move(target));
  }

  std::unique_ptr<const CudnnLibrary> library_;
  std::unique_ptr<CudnnTarget> target_;
};

// A layer with padding that keeps the size.
Conv2dKey Layer(int64_t size, int64_t cin, int64_t cout, int64_t kernel,
                bool bias) {
  const int64_t padding = kernel / 2;
  return {.height = size,
          .width = size,
          .input_channels = cin,
          .output_channels = cout,
          .kernel_height = kernel,
          .kernel_width = kernel,
          .top = padding,
          .left = padding,
          .bottom = padding,
          .right = padding,
          .bias = bias};
}

TEST_F(Conv2dEnginesTest, EveryKindOfLayerHasAnEngineThatSplitsNoSum) {
  Conv2dKey down = Layer(64, 320, 320, 3, true);
  down.stride = 2;
  for (Conv2dKey key :
       {Layer(64, 4, 320, 3, true), Layer(64, 320, 320, 3, false),
        Layer(64, 320, 4, 3, true), Layer(32, 960, 640, 1, true), down,
        Layer(8, 1280, 1280, 3, false)}) {
    // f32 is for VAEs that overflow f16.
    for (const DType dtype : {DType::kF16, DType::kBF16, DType::kF32}) {
      key.dtype = dtype;
      SCOPED_TRACE(key.ToString());

      const absl::StatusOr<EngineChoice> choice =
          ChooseEngine(*library_, *target_, key, 8);

      ASSERT_TRUE(choice.ok()) << choice.status();
      EXPECT_TRUE(SplitsNoSum(*choice)) << choice->ToString();
      std::printf("%s%s %s: %s\n", key.ToString().c_str(),
                  key.bias ? " bias" : "", std::string(Name(dtype)).c_str(),
                  choice->ToString().c_str());
    }
  }
}

// The library would split the sums of one small picture; one choice for all
// batches does not.
TEST_F(Conv2dEnginesTest, ChosenEngineHasPlansForEveryBatch) {
  const Conv2dKey key = Layer(8, 1280, 1280, 3, false);
  const absl::StatusOr<EngineChoice> choice =
      ChooseEngine(*library_, *target_, key, 8);
  ASSERT_TRUE(choice.ok()) << choice.status();

  for (const int64_t n : {1, 3, 4, 16, 32, 64}) {
    const absl::StatusOr<std::unique_ptr<Conv2dGraph>> graph =
        Conv2dGraph::Create(*library_, *target_, key, n);
    ASSERT_TRUE(graph.ok()) << graph.status();
    const absl::StatusOr<Conv2dPlan> plan = (*graph)->Plan(*choice);
    EXPECT_TRUE(plan.ok()) << n << ": " << plan.status();
  }
}

TEST_F(Conv2dEnginesTest, NonsenseIsRefusedWithAReason) {
  // A kernel larger than the padded picture.
  Conv2dKey key = Layer(4, 8, 8, 3, false);
  key.kernel_height = 9;

  const absl::Status status =
      ChooseEngine(*library_, *target_, key, 1).status();

  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(status.message().empty());
}

}  // namespace
}  // namespace tessera::kernels::cuda
