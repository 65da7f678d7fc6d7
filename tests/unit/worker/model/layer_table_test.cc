#include "worker/model/layer_table.h"

#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace tessera::model {
namespace {

using kernels::DType;
using kernels::Shape;
using kernels::Tensor;

TEST(LayerTableTest, NumbersLayersInOrder) {
  LayerTable table;

  EXPECT_EQ(table.Add({.name = "conv_in", .outputs = 64, .inputs = 4}), 0);
  EXPECT_EQ(table.Add({.name = "conv_out", .outputs = 4, .inputs = 64}), 1);

  ASSERT_EQ(table.layers().size(), 2u);
  EXPECT_EQ(table.layers()[0].name, "conv_in");
  EXPECT_EQ(table.layers()[1].outputs, 4);
  EXPECT_EQ(table.Find("conv_in"), 0);
  EXPECT_EQ(table.Find("conv_out"), 1);
}

TEST(LayerTableTest, UnknownNamesHaveNoNumber) {
  LayerTable table;
  EXPECT_EQ(table.Find("conv_in"), -1);

  table.Add({.name = "conv_in"});

  for (const char* name :
       {"", "conv_i", "conv_in.weight", "Conv_in", " conv_in", "conv_in "}) {
    EXPECT_EQ(table.Find(name), -1) << name;
  }
}

TEST(LayerTableTest, PrefixOfTextEncodersIsOptional) {
  LayerTable table;
  table.Add({.name = "text_model.encoder.layers.0.mlp.fc1"});
  table.Add({.name = "encoder.layers.0.mlp.fc2"});

  for (const char* prefix : {"", "text_model."}) {
    const std::string name = prefix;
    EXPECT_EQ(table.Find(name + "encoder.layers.0.mlp.fc1"), 0);
    EXPECT_EQ(table.Find(name + "encoder.layers.0.mlp.fc2"), 1);
  }
  // Only one, and only whole.
  EXPECT_EQ(table.Find("text_model.text_model.encoder.layers.0.mlp.fc1"), -1);
  EXPECT_EQ(table.Find("text_modelencoder.layers.0.mlp.fc1"), -1);
  EXPECT_EQ(table.Find("text_model"), -1);
  // The name stays as the model file has it.
  EXPECT_EQ(table.layers()[0].name, "text_model.encoder.layers.0.mlp.fc1");
}

TEST(LayerTableTest, WeightsAreNumberedApart) {
  LayerTable table;
  LayerWeights norm;
  norm.gain = std::make_shared<const Tensor>(Shape{8}, DType::kF32);
  LayerWeights linear;
  linear.bias = std::make_shared<const Tensor>(Shape{24}, DType::kF32);

  const int first = table.AddWeights(norm);
  const int second = table.AddWeights(linear);
  // Three layers that run as one op.
  for (int i = 0; i < 3; ++i) {
    table.Add({.name = std::string(1, static_cast<char>('q' + i)),
               .outputs = 8,
               .inputs = 8,
               .slot = second,
               .first_output = 8 * i});
  }

  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 1);
  ASSERT_EQ(table.weights().size(), 2u);
  EXPECT_EQ(table.weights()[0].gain, norm.gain);
  EXPECT_EQ(table.weights()[0].matrix, nullptr);
  EXPECT_EQ(table.weights()[1].bias, linear.bias);
  EXPECT_EQ(table.layers()[2].slot, second);
  EXPECT_EQ(table.layers()[2].first_output, 16);
}

TEST(LayerTableTest, NormsHaveNoInputs) {
  EXPECT_TRUE((LayerInfo{.name = "norm", .outputs = 8}).is_norm());
  EXPECT_FALSE(
      (LayerInfo{.name = "linear", .outputs = 8, .inputs = 1}).is_norm());
}

TEST(LayerTableTest, MovedTableStillFinds) {
  LayerTable table;
  table.Add({.name = "a"});
  table.Add({.name = "b"});

  const LayerTable moved = std::move(table);

  EXPECT_EQ(moved.Find("b"), 1);
}

}  // namespace
}  // namespace tessera::model
