#include "worker/model/denoise_batch.h"

#include <algorithm>
#include <limits>
#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/demo_model.h"

namespace tessera::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DenoiseBatchTest : public ::testing::Test {
 protected:
  static const DemoModel& Demo() {
    static const DemoModel* const demo = new DemoModel(2);
    return *demo;
  }
  static const TextToImage& Model() { return *Demo().model; }
};

// Unlike in everything that may differ within a batch.
std::vector<ImageRequest> UnlikeRequests(const DemoModel& demo) {
  std::vector<ImageRequest> requests = {
      SmallRequest("a red apple", 1), SmallRequest("a penguin", 2),
      SmallRequest("a rocket", 3), SmallRequest("a fox", 4),
      SmallRequest("a cat face", 5)};
  requests[1].sampler = "euler";
  requests[1].num_inference_steps = 5;
  requests[2].guidance_scale = 1;
  requests[2].adapters = {{demo.Adapter("ink-peft.safetensors"), 1.0f}};
  requests[3].negative_prompt = "a dog";
  requests[3].adapters = {{demo.Adapter("pixel-kohya.safetensors"), 0.7f},
                          {demo.Adapter("ink-peft.safetensors"), 0.6f}};
  return requests;
}

TEST_F(DenoiseBatchTest, PictureDoesNotDependOnItsNeighbours) {
  const std::vector<ImageRequest> requests = UnlikeRequests(Demo());
  DenoiseBatch batch(Model(), {.capacity = 3});
  std::map<int64_t, std::vector<uint8_t>> together;

  // Pictures enter as others leave.
  size_t next = 0;
  while (next < requests.size() || batch.size() > 0) {
    while (next < requests.size() && batch.CanAdmit(requests[next])) {
      ASSERT_TRUE(batch.Admit(static_cast<int64_t>(next), requests[next]).ok());
      ++next;
    }
    for (const Finished& one : batch.Step()) {
      together[one.ticket] = one.image.value().rgb;
    }
  }

  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(together[static_cast<int64_t>(i)], Alone(Model(), requests[i]))
        << "picture " << i;
  }
}

TEST_F(DenoiseBatchTest, PictureDoesNotDependOnThreads) {
  const ImageRequest request = SmallRequest("a red apple", 7);
  const std::vector<uint8_t> two = Alone(Model(), request);

  for (const int threads : {1, 3}) {
    const DemoModel other(threads);
    EXPECT_EQ(Alone(*other.model, request), two) << threads << " threads";
  }
}

TEST_F(DenoiseBatchTest, AdapterOfStrengthZeroLeavesTheBits) {
  ImageRequest request = SmallRequest("a red apple", 1);
  const std::vector<uint8_t> plain = Alone(Model(), request);

  request.adapters = {{Demo().Adapter("ink-peft.safetensors"), 0.0f}};
  EXPECT_EQ(Alone(Model(), request), plain);
  request.adapters[0].scale = 1.0f;
  EXPECT_NE(Alone(Model(), request), plain);
}

TEST_F(DenoiseBatchTest, OrderOfAdaptersDoesNotMatter) {
  ImageRequest request = SmallRequest("a red apple", 1);
  request.adapters = {{Demo().Adapter("ink-peft.safetensors"), 0.5f},
                      {Demo().Adapter("pixel-peft.safetensors"), 0.5f}};
  const std::vector<uint8_t> one_way = Alone(Model(), request);

  std::reverse(request.adapters.begin(), request.adapters.end());

  EXPECT_EQ(Alone(Model(), request), one_way);
}

TEST_F(DenoiseBatchTest, SizesThatDoNotHalveEvenlyWork) {
  ImageRequest request = SmallRequest("a castle", 1);
  request.width = 72;
  request.height = 88;

  EXPECT_EQ(Alone(Model(), request).size(), size_t{72 * 88 * 3});
}

TEST_F(DenoiseBatchTest, TakesOneSizeAtATime) {
  DenoiseBatch batch(Model(), {.capacity = 2});
  ASSERT_TRUE(batch.Admit(1, SmallRequest("a", 1)).ok());
  ImageRequest wide = SmallRequest("b", 2);
  wide.width = 128;

  EXPECT_FALSE(batch.CanAdmit(wide));
  EXPECT_EQ(batch.Admit(2, wide).code(), absl::StatusCode::kFailedPrecondition);
  batch.Remove(1);
  EXPECT_TRUE(batch.CanAdmit(wide));
}

TEST_F(DenoiseBatchTest, RefusesMoreThanItsCapacity) {
  DenoiseBatch batch(Model(), {.capacity = 1});
  ASSERT_TRUE(batch.Admit(1, SmallRequest("a", 1)).ok());

  EXPECT_FALSE(batch.CanAdmit(SmallRequest("b", 2)));
  EXPECT_EQ(batch.size(), 1);
}

TEST_F(DenoiseBatchTest, NotANumberFailsThatPictureAlone) {
  ImageRequest broken = SmallRequest("a", 1);
  kernels::Tensor noise(kernels::Shape{4, 8, 8}, kernels::DType::kF32);
  noise.f32()[0] = std::numeric_limits<float>::quiet_NaN();
  broken.init_latents =
      std::make_shared<const kernels::Tensor>(std::move(noise));
  const ImageRequest sound = SmallRequest("a red apple", 2);
  DenoiseBatch batch(Model(), {.capacity = 2});
  ASSERT_TRUE(batch.Admit(1, broken).ok());
  ASSERT_TRUE(batch.Admit(2, sound).ok());

  const std::vector<Finished> finished = RunToEnd(batch);

  ASSERT_EQ(finished.size(), size_t{2});
  EXPECT_EQ(finished[0].image.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(finished[0].image.status().message()),
              HasSubstr("not a number"));
  EXPECT_EQ(finished[1].image.value().rgb, Alone(Model(), sound));
}

TEST_F(DenoiseBatchTest, RemovedPictureLeavesTheOthersAlone) {
  DenoiseBatch batch(Model(), {.capacity = 3});
  for (int64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(
        batch.Admit(i, SmallRequest("a fox", static_cast<uint64_t>(i))).ok());
  }
  batch.Step();

  batch.Remove(1);
  const std::vector<Finished> finished = RunToEnd(batch);

  std::vector<int64_t> tickets;
  for (const Finished& one : finished) {
    tickets.push_back(one.ticket);
    EXPECT_EQ(one.image.value().rgb,
              Alone(Model(),
                    SmallRequest("a fox", static_cast<uint64_t>(one.ticket))));
  }
  EXPECT_THAT(tickets, ElementsAre(0, 2));
}

}  // namespace
}  // namespace tessera::model
