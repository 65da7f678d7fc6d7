#include "worker/model/weight_reader.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/worker/model/safetensors_bytes.h"

namespace tessera::model {
namespace {

using kernels::DType;
using kernels::Shape;
using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::tessera::testing::TemporaryFolder;
using ::tessera::testing::WriteText;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// A folder with one weights file, opened.
class WeightReaderTest : public ::testing::Test {
 protected:
  // Writes `header` and `data` as the weights and opens them.
  absl::StatusOr<WeightReader> Open(const std::string& header,
                                    const std::string& data) {
    WriteText(path_, SafetensorsBytes(header, data));
    return WeightReader::Open(folder_.path(), "model");
  }

  // Returns the elements of a vector "t" of this type and data.
  std::vector<float> ReadVector(const std::string& dtype, int64_t count,
                                const std::string& data) {
    const auto reader = Open(OneTensor(dtype, absl::StrCat("[", count, "]"),
                                       absl::StrCat("[0,", data.size(), "]")),
                             data);
    EXPECT_THAT(reader, IsOk());
    if (!reader.ok()) return {};
    const auto tensor = reader->Read("t", Shape{count});
    EXPECT_THAT(tensor, IsOk());
    if (!tensor.ok()) return {};
    EXPECT_EQ(tensor->dtype(), DType::kF32);
    return {tensor->f32(), tensor->f32() + count};
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "model.safetensors";
};

TEST_F(WeightReaderTest, WidensHalves) {
  // IEEE 754-2019, table 3.5: binary16 has 5 exponent and 10 fraction bits.
  const std::vector<uint16_t> bits = {0x0000, 0x3C00, 0xC000, 0x3555,
                                      0x7BFF, 0xFBFF, 0x0400, 0x03FF,
                                      0x0001, 0x8001, 0x7C00, 0xFC00};

  EXPECT_THAT(ReadVector("F16", 12, Bits16(bits)),
              ElementsAre(0.0f, 1.0f, -2.0f, 0.333251953125f, 65504.0f,
                          -65504.0f, 0x1p-14f, 0x1.ff8p-15f, 0x1p-24f,
                          -0x1p-24f, kInfinity, -kInfinity));
}

TEST_F(WeightReaderTest, WidensBrainFloats) {
  // The upper half of a binary32.
  const std::vector<uint16_t> bits = {0x0000, 0x3F80, 0xC000, 0x3EAB,
                                      0x7F7F, 0xFF7F, 0x0080, 0x007F,
                                      0x0001, 0x8001, 0x7F80, 0xFF80};

  EXPECT_THAT(ReadVector("BF16", 12, Bits16(bits)),
              ElementsAre(0.0f, 1.0f, -2.0f, 0.333984375f, 0x1.fep+127f,
                          -0x1.fep+127f, 0x1p-126f, 0x0.fep-126f, 0x1p-133f,
                          -0x1p-133f, kInfinity, -kInfinity));
}

TEST_F(WeightReaderTest, KeepsSingles) {
  const std::vector<uint32_t> bits = {0x00000000, 0x3F800000, 0xC0490FDB,
                                      0x7F7FFFFF, 0x00800000, 0x00000001,
                                      0x7F800000, 0xFF800000};

  EXPECT_THAT(ReadVector("F32", 8, Bits32(bits)),
              ElementsAre(0.0f, 1.0f, -3.14159274101257324f, 0x1.fffffep+127f,
                          0x1p-126f, 0x1p-149f, kInfinity, -kInfinity));
}

TEST_F(WeightReaderTest, NotANumberAndMinusZeroStay) {
  for (const auto& [dtype, data] :
       std::vector<std::pair<std::string, std::string>>{
           {"F16", Bits16({0x7E00, 0xFC01, 0x8000})},
           {"BF16", Bits16({0x7FC0, 0xFF81, 0x8000})},
           {"F32", Bits32({0x7FC00000, 0xFF800001, 0x80000000})}}) {
    const std::vector<float> values = ReadVector(dtype, 3, data);

    ASSERT_EQ(values.size(), 3u) << dtype;
    EXPECT_TRUE(std::isnan(values[0])) << dtype;
    EXPECT_TRUE(std::isnan(values[1])) << dtype;
    EXPECT_EQ(std::bit_cast<uint32_t>(values[2]), 0x80000000u) << dtype;
  }
}

// Every binary16, against its definition: (-1)^s 2^(e-15) (1 + f / 1024), or
// (-1)^s 2^-14 f / 1024 where e is 0.
TEST_F(WeightReaderTest, WidensEveryHalfExactly) {
  std::vector<uint16_t> bits;
  std::vector<float> expected;
  for (uint32_t half = 0; half <= 0xFFFF; ++half) {
    const int exponent = static_cast<int>(half >> 10 & 31);
    if (exponent == 31) continue;
    const double fraction = (half & 1023) / 1024.0;
    const double value = exponent == 0
                             ? std::ldexp(fraction, -14)
                             : std::ldexp(1 + fraction, exponent - 15);
    bits.push_back(static_cast<uint16_t>(half));
    expected.push_back(static_cast<float>(half >> 15 == 1 ? -value : value));
  }

  EXPECT_TRUE(ReadVector("F16", static_cast<int64_t>(bits.size()),
                         Bits16(bits)) == expected);
}

// A header of odd length puts every element at an odd address.
TEST_F(WeightReaderTest, ElementsMayLieAnywhere) {
  for (const char* padding : {"", " ", "  ", "   "}) {
    const auto reader =
        Open(R"({"h":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},)"
             R"("s":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})" +
                 std::string(padding),
             Bits16({0x3C00}) + Bits32({0x40000000}));
    ASSERT_THAT(reader, IsOk());

    const auto half = reader->Read("h", Shape{1});
    const auto single = reader->Read("s", Shape{1});

    ASSERT_THAT(half, IsOk());
    ASSERT_THAT(single, IsOk());
    EXPECT_EQ(half->f32()[0], 1.0f);
    EXPECT_EQ(single->f32()[0], 2.0f);
  }
}

TEST_F(WeightReaderTest, KeepsShapeAndOrder) {
  const auto reader = Open(OneTensor("F32", "[2,3]", "[0,24]"),
                           Bits32({0x3F800000, 0x40000000, 0x40400000,
                                   0x40800000, 0x40A00000, 0x40C00000}));
  ASSERT_THAT(reader, IsOk());

  const auto tensor = reader->Read("t", Shape{2, 3});

  ASSERT_THAT(tensor, IsOk());
  EXPECT_EQ(tensor->shape(), (Shape{2, 3}));
  EXPECT_THAT(std::vector<float>(tensor->f32(), tensor->f32() + 6),
              ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(WeightReaderTest, ReadsScalarsAndEmptyTensors) {
  const auto reader =
      Open(R"({"s":{"dtype":"F16","shape":[],"data_offsets":[0,2]},)"
           R"("e":{"dtype":"F16","shape":[4,0],"data_offsets":[2,2]}})",
           Bits16({0x3C00}));
  ASSERT_THAT(reader, IsOk());

  const auto scalar = reader->Read("s", Shape{});
  const auto none = reader->Read("e", Shape{4, 0});

  ASSERT_THAT(scalar, IsOk());
  EXPECT_EQ(scalar->f32()[0], 1.0f);
  ASSERT_THAT(none, IsOk());
  EXPECT_EQ(none->shape(), (Shape{4, 0}));
}

TEST_F(WeightReaderTest, KnowsWhatItHas) {
  const auto reader = Open(OneTensor("F16", "[1]", "[0,2]"), "xx");

  ASSERT_THAT(reader, IsOk());
  EXPECT_TRUE(reader->Has("t"));
  EXPECT_FALSE(reader->Has("T"));
  EXPECT_FALSE(reader->Has(""));
  EXPECT_EQ(reader->file().path(), path_);
}

TEST_F(WeightReaderTest, MissingTensorIsNamedWithItsShape) {
  const auto reader = Open(OneTensor("F16", "[1]", "[0,2]"), "xx");
  ASSERT_THAT(reader, IsOk());

  EXPECT_THAT(
      reader->Read("conv_in.weight", Shape{64, 4, 3, 3}),
      StatusIs(kInvalid, absl::StrCat(path_,
                                      ": missing tensor: conv_in.weight, "
                                      "expected shape [64,4,3,3]")));
}

TEST_F(WeightReaderTest, OtherShapeIsNamedWithBoth) {
  const auto reader = Open(OneTensor("F16", "[2,3]", "[0,12]"), "xxxxxxxxxxxx");
  ASSERT_THAT(reader, IsOk());

  for (const Shape& shape : {Shape{3, 2}, Shape{6}, Shape{2, 3, 1}, Shape{},
                             Shape{1, 2, 3}, Shape{2, 4}}) {
    EXPECT_THAT(
        reader->Read("t", shape),
        StatusIs(kInvalid,
                 absl::StrCat(path_, ": wrong shape: t is [2,3], expected ",
                              shape.ToString())));
  }
}

TEST_F(WeightReaderTest, IntegersAreNoWeights) {
  for (const char* dtype : {"I32", "I64", "U8", "BOOL"}) {
    const std::string type(dtype);
    const int size = type == "I32" ? 4 : type == "I64" ? 8 : 1;
    const auto reader =
        Open(OneTensor(type, "[1]", absl::StrCat("[0,", size, "]")),
             std::string(static_cast<size_t>(size), '\0'));
    ASSERT_THAT(reader, IsOk()) << type;

    EXPECT_THAT(reader->Read("t", Shape{1}),
                StatusIs(kInvalid, AllOf(HasSubstr(path_ + ": t: "),
                                         HasSubstr("expected"))))
        << type;
  }
}

TEST_F(WeightReaderTest, HalfVariantIsReadWhereThePlainFileIsMissing) {
  WriteText(folder_ / "model.fp16.safetensors",
            SafetensorsBytes(OneTensor("F16", "[1]", "[0,2]"), "xx"));

  const auto reader = WeightReader::Open(folder_.path(), "model");

  ASSERT_THAT(reader, IsOk());
  EXPECT_EQ(reader->file().path(), folder_ / "model.fp16.safetensors");
}

TEST_F(WeightReaderTest, PlainFileIsPreferred) {
  WriteText(folder_ / "model.fp16.safetensors", SafetensorsBytes("{}", ""));

  const auto reader = Open("{}", "");

  ASSERT_THAT(reader, IsOk());
  EXPECT_EQ(reader->file().path(), path_);
}

TEST_F(WeightReaderTest, MissingWeightsNameThePlainFile) {
  EXPECT_THAT(WeightReader::Open(folder_.path(), "model"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(path_)));
}

TEST_F(WeightReaderTest, DamagedFilesAreNotSkipped) {
  WriteText(folder_ / "model.fp16.safetensors", "cut");
  EXPECT_THAT(
      WeightReader::Open(folder_.path(), "model"),
      StatusIs(kInvalid, HasSubstr(folder_ / "model.fp16.safetensors")));

  WriteText(folder_ / "model.fp16.safetensors", SafetensorsBytes("{}", ""));
  WriteText(path_, "cut");
  EXPECT_THAT(WeightReader::Open(folder_.path(), "model"),
              StatusIs(kInvalid, HasSubstr(path_)));
}

}  // namespace
}  // namespace tessera::model
