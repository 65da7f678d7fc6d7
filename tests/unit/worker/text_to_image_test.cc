#include "worker/model/text_to_image.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/worker/demo_model.h"
#include "worker/model/layer_table.h"
#include "worker/model/prompt_cache.h"
#include "worker/model/shape_arenas.h"

namespace tessera::model {
namespace {

using ::testing::HasSubstr;

class TextToImageTest : public ::testing::Test {
 protected:
  static const DemoModel& Demo() {
    static const DemoModel* const demo = new DemoModel(1);
    return *demo;
  }

  static void ExpectInvalid(const ImageRequest& request, const char* field) {
    const absl::Status status = Demo().model->Validate(request);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(field));
  }
};

TEST_F(TextToImageTest, FactsComeFromTheConfigs) {
  const ModelFacts& facts = Demo().model->facts();

  EXPECT_EQ(facts.default_width, 128);
  EXPECT_EQ(facts.default_height, 128);
  EXPECT_EQ(facts.size_multiple, 8);
  EXPECT_EQ(facts.sampler, "ddim");
  EXPECT_EQ(facts.digest.size(), size_t{64});
}

TEST_F(TextToImageTest, ResolveFillsTheModelsOwnValues) {
  const ImageRequest resolved = Demo().model->Resolve(ImageRequest{});

  EXPECT_EQ(resolved.width, 128);
  EXPECT_EQ(resolved.height, 128);
  EXPECT_EQ(resolved.sampler, "ddim");
}

TEST_F(TextToImageTest, ValidateNamesTheFieldThatIsWrong) {
  ImageRequest request = SmallRequest("a", 1);
  EXPECT_TRUE(Demo().model->Validate(request).ok());

  request.width = 60;
  ExpectInvalid(request, "width");
  request = SmallRequest("a", 1);
  request.height = 4104;
  ExpectInvalid(request, "height");
  request = SmallRequest("a", 1);
  request.num_inference_steps = 0;
  ExpectInvalid(request, "num_inference_steps");
  request = SmallRequest("a", 1);
  request.guidance_scale = NAN;
  ExpectInvalid(request, "guidance_scale");
  request = SmallRequest("a", 1);
  request.sampler = "unheard-of";
  ExpectInvalid(request, "sampler");
  request = SmallRequest("a", 1);
  request.init_latents = std::make_shared<const kernels::Tensor>(
      kernels::Shape{4, 8, 9}, kernels::DType::kF32);
  ExpectInvalid(request, "init_latents");
  request = SmallRequest("a", 1);
  request.adapters = {{Demo().Adapter("ink-peft.safetensors"), INFINITY}};
  ExpectInvalid(request, "loras");
}

TEST_F(TextToImageTest, AnotherPipelineIsRefusedByName) {
  const testing::TemporaryFolder folder;
  testing::WriteText(folder / "model_index.json",
                     R"({"_class_name": "StableDiffusionInpaintPipeline"})");

  const auto model = TextToImage::Load(folder.path(), *Demo().device);

  EXPECT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(model.status().message(),
            folder / "model_index.json" +
                ": _class_name: expected StableDiffusionPipeline or "
                "StableDiffusionXLPipeline, got "
                "\"StableDiffusionInpaintPipeline\"");
}

TEST_F(TextToImageTest, MissingFolderIsNotFound) {
  const auto model = TextToImage::Load("no/such/folder", *Demo().device);

  EXPECT_EQ(model.status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TextToImageTest, PromptsAreEncodedOncePerAdapterSet) {
  PromptCache cache(*Demo().model, 2);
  AdapterSets sets(*Demo().model, 0);
  const auto pixel_set =
      sets.Prepare({{Demo().Adapter("pixel-peft.safetensors"), 1.0f}}).value();
  const AdapterSet& pixel = *pixel_set;

  const auto plain = cache.Get({.text = "a fox"}, {}).value();
  EXPECT_EQ(cache.Get({.text = "a fox"}, {}).value(), plain);
  EXPECT_EQ(cache.encoded(), 1);
  EXPECT_NE(cache.Get({.text = "a fox"}, pixel).value(), plain);
  EXPECT_EQ(cache.encoded(), 2);
}

TEST_F(TextToImageTest, CacheForgetsThePromptUsedLongestAgo) {
  PromptCache cache(*Demo().model, 2);
  for (const char* prompt : {"a", "b", "a", "c"}) {
    ASSERT_TRUE(cache.Get({.text = prompt}, {}).ok());
  }

  ASSERT_TRUE(cache.Get({.text = "a"}, {}).ok());
  EXPECT_EQ(cache.encoded(), 3);
  ASSERT_TRUE(cache.Get({.text = "b"}, {}).ok());
  EXPECT_EQ(cache.encoded(), 4);
}

TEST(ShapeArenasTest, KeepsTheArenasUsedLast) {
  ShapeArenas arenas(2);
  kernels::Arena* const first = &arenas.For({1, 8, 8, 0});

  arenas.For({2, 8, 8, 0});

  EXPECT_EQ(&arenas.For({1, 8, 8, 0}), first);
}

TEST(LayerTableTest, FindsLayersWithAndWithoutTheTextModelPrefix) {
  LayerTable table;
  const int number = table.Add({"text_model.fc1", 4, 2, 1});

  EXPECT_EQ(table.Find("fc1"), number);
  EXPECT_EQ(table.Find("text_model.fc1"), number);
  EXPECT_EQ(table.Find("fc2"), -1);
}

}  // namespace
}  // namespace tessera::model
