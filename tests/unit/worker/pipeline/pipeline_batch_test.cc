#include "worker/pipeline/pipeline_batch.h"

#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/demo_model.h"
#include "tests/unit/worker/pipeline/layouts.h"
#include "worker/model/model_parts.h"
#include "worker/pipeline/loopback_channel.h"
#include "worker/pipeline/stage_server.h"

namespace tessera::pipeline {
namespace {

using model::DemoModel;
using model::ImageRequest;
using model::PieceRange;
using model::SmallRequest;

// The model as a whole, for what the pictures must be.
const DemoModel& Demo() {
  static const DemoModel* const demo = new DemoModel(1);
  return *demo;
}

std::span<const model::UNetPiece> Pieces() {
  return Demo().model->parts().unet.pieces();
}

// Returns the ranges of a rank.
std::vector<PieceRange> RangesOf(const Layout& layout, int rank) {
  std::vector<PieceRange> ranges;
  for (const Segment& segment : layout.segments) {
    if (segment.rank == rank) ranges.push_back({segment.begin, segment.end});
  }
  return ranges;
}

// A rank below the first: a thread with its own part of the UNet.
class Member {
 public:
  Member(const Layout& layout, int rank, int pictures, Channel& channel,
         AdapterFinder find)
      : device_(kernels::CreateCpuDevice(1).value()),
        reader_(model::WeightReader::Open(DemoModel::Folder() + "/unet",
                                          "diffusion_pytorch_model")
                    .value()),
        unet_(model::UNet::LoadPieces(reader_, *device_,
                                      Demo().model->parts().unet_config,
                                      RangesOf(layout, rank))
                  .value()),
        server_(unet_, *device_,
                {.layout = layout,
                 .micro_batches = MicroBatches(layout.ranks),
                 .max_rows = 2 * pictures},
                int64_t{1} << 30, channel, std::move(find), RealClock()),
        thread_([this] { ended_ = server_.Serve(); }) {}
  ~Member() { thread_.join(); }

 private:
  std::unique_ptr<kernels::Device> device_;
  model::WeightReader reader_;
  model::UNet unet_;
  StageServer server_;
  absl::Status ended_;
  std::thread thread_;
};

// All ranks in one process.
class Group {
 public:
  Group(const Layout& layout, int pictures)
      : channels_(MakeLoopbackChannels(layout.ranks, RealClock())),
        device_(kernels::CreateCpuDevice(1).value()),
        model_(model::TextToImage::LoadPieces(DemoModel::Folder(), *device_,
                                              RangesOf(layout, 0))
                   .value()),
        batch_(
            *model_, {.layout = layout, .pictures = pictures}, *channels_[0],
            [](const model::AdapterWeights& weights) {
              return AdapterReference{.name = weights.name,
                                      .digest = weights.digest};
            },
            RealClock()) {
    for (int rank = 1; rank < layout.ranks; ++rank) {
      members_.push_back(std::make_unique<Member>(
          layout, rank, pictures, *channels_[static_cast<size_t>(rank)],
          [this](const AdapterReference& reference) {
            return adapters.at(reference.digest);
          }));
    }
  }
  // Ends the members, which wait for heads.
  ~Group() { channels_[0]->Abort(absl::CancelledError("over")); }

  PipelineBatch& batch() { return batch_; }
  Channel& channel(int rank) { return *channels_[static_cast<size_t>(rank)]; }

  // By digest; what members find. Set before pictures use them.
  std::map<std::string, std::shared_ptr<const model::AdapterWeights>> adapters;

 private:
  std::vector<std::unique_ptr<Channel>> channels_;
  std::unique_ptr<kernels::Device> device_;
  std::unique_ptr<model::TextToImage> model_;
  PipelineBatch batch_;
  std::vector<std::unique_ptr<Member>> members_;
};

// Unlike in everything that may differ within a batch.
std::vector<ImageRequest> UnlikeRequests() {
  std::vector<ImageRequest> requests = {
      SmallRequest("a red apple", 1), SmallRequest("a penguin", 2),
      SmallRequest("a rocket", 3),    SmallRequest("a fox", 4),
      SmallRequest("a cat face", 5),  SmallRequest("a tree", 6),
      SmallRequest("a fish", 7)};
  requests[1].sampler = "euler";
  requests[1].num_inference_steps = 5;
  requests[2].guidance_scale = 1;
  requests[2].adapters = {{Demo().Adapter("ink-peft.safetensors"), 1.0f}};
  requests[3].negative_prompt = "a dog";
  requests[3].adapters = {{Demo().Adapter("pixel-kohya.safetensors"), 0.7f},
                          {Demo().Adapter("ink-peft.safetensors"), 0.6f}};
  requests[5].num_inference_steps = 1;
  return requests;
}

// Feeds the batch as long as there is room; returns the pictures by ticket.
std::map<int64_t, std::vector<uint8_t>> RunAll(
    PipelineBatch& batch, const std::vector<ImageRequest>& requests) {
  std::map<int64_t, std::vector<uint8_t>> made;
  size_t next = 0;
  size_t running = 0;
  while (next < requests.size() || running > 0) {
    while (next < requests.size() &&
           running < static_cast<size_t>(batch.capacity())) {
      EXPECT_TRUE(batch.Admit(static_cast<int64_t>(next), requests[next]).ok());
      ++next;
      ++running;
    }
    for (const model::Finished& one : batch.Step()) {
      EXPECT_TRUE(one.image.ok()) << one.image.status();
      if (one.image.ok()) made[one.ticket] = one.image->rgb;
      --running;
    }
    if (!batch.status().ok()) break;
  }
  return made;
}

struct LayoutCase {
  std::string name;
  Layout (*layout)();
  int pictures = 1;
};

class PipelineBatchTest : public ::testing::TestWithParam<LayoutCase> {};

TEST_P(PipelineBatchTest, MakesTheBytesOfTheWholeModel) {
  const std::vector<ImageRequest> requests = UnlikeRequests();
  const Layout layout = GetParam().layout();
  ASSERT_TRUE(CheckLayout(layout, Pieces().size()).ok());
  Group group(layout, GetParam().pictures);
  for (const ImageRequest& request : requests) {
    for (const model::AdapterUse& use : request.adapters) {
      group.adapters[use.weights->digest] = use.weights;
    }
  }

  const auto made = RunAll(group.batch(), requests);

  ASSERT_EQ(made.size(), requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(made.at(static_cast<int64_t>(i)),
              model::Alone(*Demo().model, requests[i]))
        << "picture " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Layouts, PipelineBatchTest,
    ::testing::Values(
        LayoutCase{"FoldedTwo", [] { return Folded(Pieces(), {4}); }, 1},
        LayoutCase{"FoldedTwoPairs", [] { return Folded(Pieces(), {3}); }, 2},
        LayoutCase{"FoldedThree",
                   [] {
                     return Folded(Pieces(), {2, 5});
                   },
                   1},
        LayoutCase{"FoldedFour",
                   [] {
                     return Folded(Pieces(), {2, 4, 6});
                   },
                   1},
        LayoutCase{"LinearTwo", [] { return Linear(Pieces().size(), {9}); }, 1},
        LayoutCase{"LinearThree",
                   [] {
                     return Linear(Pieces().size(), {5, 11});
                   },
                   2}),
    [](const auto& info) { return info.param.name; });

TEST(PipelineFailureTest, AMemberThatDiesFailsEveryPicture) {
  Group group(Folded(Pieces(), {4}), 1);
  ASSERT_TRUE(group.batch().Admit(1, SmallRequest("a fox", 1)).ok());

  group.channel(1).Abort(absl::UnavailableError("killed"));
  const auto finished = group.batch().Step();

  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].image.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(group.batch().status().code(), absl::StatusCode::kUnavailable);
}

TEST(PipelineFailureTest, ARemovedPictureMakesRoom) {
  Group group(Folded(Pieces(), {4}), 1);
  const int capacity = group.batch().capacity();
  for (int i = 0; i < capacity; ++i) {
    ASSERT_TRUE(group.batch().Admit(i, SmallRequest("a fox", 1)).ok());
  }
  EXPECT_TRUE(group.batch().Step().empty());
  for (int i = 0; i < capacity; ++i) group.batch().Remove(i);

  // Tickets come again with the next shard.
  const auto made = RunAll(group.batch(), {SmallRequest("a rocket", 3)});

  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made.at(0),
            model::Alone(*Demo().model, SmallRequest("a rocket", 3)));
}

TEST(PipelineFailureTest, RanksWithUnlikeLorasAreRefusedByName) {
  Group group(Folded(Pieces(), {4}), 1);
  ImageRequest request = SmallRequest("a fox", 1);
  request.adapters = {{Demo().Adapter("ink-peft.safetensors"), 1.0f}};
  group.adapters[request.adapters[0].weights->digest] =
      Demo().Adapter("pixel-kohya.safetensors");
  ASSERT_TRUE(group.batch().Admit(1, request).ok());

  std::vector<model::Finished> finished;
  while (finished.empty()) finished = group.batch().Step();

  EXPECT_FALSE(finished[0].image.ok());
}

}  // namespace
}  // namespace tessera::pipeline
