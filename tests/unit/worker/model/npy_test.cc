#include "worker/model/npy.h"

#include <cstdint>
#include <cstring>
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
using kernels::Tensor;
using kernels::TensorView;
using ::tessera::testing::IsOk;
using ::tessera::testing::ReadText;
using ::tessera::testing::StatusIs;
using ::tessera::testing::TemporaryFolder;
using ::tessera::testing::WriteText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Returns a file of format `major`.0 as numpy writes it: the header is padded
// with blanks and a newline so that the data starts on a multiple of 64.
std::string NpyBytes(int major, std::string header, const std::string& data) {
  const size_t preamble = major == 1 ? 10 : 12;
  while ((preamble + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  return "\x93NUMPY" + LittleEndian(static_cast<uint64_t>(major), 2) +
         LittleEndian(header.size(), major == 1 ? 2 : 4) + header + data;
}

// Returns numpy's dictionary of an f32 array of this shape in C order.
std::string HeaderOf(const std::string& shape) {
  return absl::StrCat(
      "{'descr': '<f4', 'fortran_order': False, 'shape': ", shape, ", }");
}

// A folder with one file.
class NpyTest : public ::testing::Test {
 protected:
  absl::StatusOr<Tensor> Read(const std::string& bytes) {
    WriteText(path_, bytes);
    return ReadNpy(path_);
  }

  // Expects `bytes` to be refused, and the message to say what was wanted.
  void ExpectRefused(const std::string& bytes) {
    EXPECT_THAT(Read(bytes),
                StatusIs(kInvalid, absl::StrCat(path_,
                                                ": expected a .npy file, "
                                                "version 1.0, of f32 in C "
                                                "order")));
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "array.npy";
};

TEST_F(NpyTest, ReadsWhatNumpyWrites) {
  const auto array =
      Read(NpyBytes(1, HeaderOf("(2, 3)"),
                    Bits32({0x3F800000, 0x40000000, 0x40400000, 0x40800000,
                            0x40A00000, 0x80000000})));

  ASSERT_THAT(array, IsOk());
  EXPECT_EQ(array->shape(), (Shape{2, 3}));
  EXPECT_EQ(array->dtype(), DType::kF32);
  EXPECT_THAT(std::vector<float>(array->f32(), array->f32() + 6),
              ElementsAre(1, 2, 3, 4, 5, -0.0f));
}

TEST_F(NpyTest, ReadsEveryRank) {
  const std::vector<std::pair<std::string, Shape>> shapes = {
      {"()", Shape{}},
      {"(1,)", Shape{1}},
      {"(1, 1)", Shape{1, 1}},
      {"(1, 1, 1)", Shape{1, 1, 1}},
      {"(1, 1, 1, 1)", Shape{1, 1, 1, 1}},
      {"(1, 1, 1, 1, 1)", Shape{1, 1, 1, 1, 1}}};
  for (const auto& [text, shape] : shapes) {
    const auto array = Read(NpyBytes(1, HeaderOf(text), Bits32({0x3F800000})));

    ASSERT_THAT(array, IsOk()) << text;
    EXPECT_EQ(array->shape(), shape) << text;
    EXPECT_EQ(array->f32()[0], 1.0f) << text;
  }
}

TEST_F(NpyTest, ReadsArraysWithoutElements) {
  const auto array = Read(NpyBytes(1, HeaderOf("(0, 4)"), ""));

  ASSERT_THAT(array, IsOk());
  EXPECT_EQ(array->shape(), (Shape{0, 4}));
}

// The tests of the whole model rest on these files, which numpy wrote.
TEST_F(NpyTest, ReadsAGoldenFile) {
  const auto latents = ReadNpy(std::string(TESSERA_SOURCE_DIR) +
                               "/tests/golden/emoji-sd/01-apple/latents.npy");

  ASSERT_THAT(latents, IsOk());
  EXPECT_EQ(latents->shape(), (Shape{4, 16, 16}));
}

TEST_F(NpyTest, OtherVersionsAreRefused) {
  const std::string data = Bits32({0});
  ASSERT_THAT(Read(NpyBytes(1, HeaderOf("(1,)"), data)), IsOk());

  ExpectRefused(NpyBytes(2, HeaderOf("(1,)"), data));
  ExpectRefused(NpyBytes(3, HeaderOf("(1,)"), data));
  // Version 1.1.
  std::string file = NpyBytes(1, HeaderOf("(1,)"), data);
  file[7] = 1;
  ExpectRefused(file);
}

TEST_F(NpyTest, OtherTypesAreRefused) {
  for (const char* descr :
       {"'<f8'", "'<f2'", "'>f4'", "'=f4'", "'<i4'", "'<u4'", "'|b1'", "'<c8'",
        "'<U1'", "'|O'", "[('a', '<f4')]", "[('a', '<f4'), ('b', '<f4')]",
        "'<f4x'", "<f4"}) {
    ExpectRefused(
        NpyBytes(1,
                 absl::StrCat("{'descr': ", descr,
                              ", 'fortran_order': False, 'shape': (1,), }"),
                 Bits32({0})));
  }
}

TEST_F(NpyTest, FortranOrderIsRefused) {
  ExpectRefused(
      NpyBytes(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }",
               Bits32({0})));
  ExpectRefused(NpyBytes(1, "{'descr': '<f4', 'shape': (1,), }", Bits32({0})));
}

TEST_F(NpyTest, ShapesThatAreNoneAreRefused) {
  for (const char* shape :
       {"", "1", "[1]", "(1", "1)", ")1(", "(-1,)", "(1.0,)", "(1L,)", "(a,)",
        "('1',)", "((1,),)", "(1 1)", "(99999999999999999999,)",
        "(1, 1, 1, 1, 1, 1)"}) {
    ExpectRefused(NpyBytes(1, HeaderOf(shape), Bits32({0})));
  }
}

// The products are 2^64 and 2^63 elements, and 2^62, whose bytes are 2^64.
TEST_F(NpyTest, ShapesBeyondMemoryAreRefused) {
  for (const char* shape :
       {"(16777216, 16777216, 65536)", "(16777216, 16777216, 32768)",
        "(16777216, 16777216, 16384)",
        "(16777216, 16777216, 16777216, 16777216, 16777216)",
        "(16777216, 16777216)", "(16777217,)"}) {
    ExpectRefused(NpyBytes(1, HeaderOf(shape), ""));
    ExpectRefused(NpyBytes(1, HeaderOf(shape), Bits32({0})));
  }
}

TEST_F(NpyTest, EveryPrefixAndMoreBytesAreRefused) {
  const std::string file =
      NpyBytes(1, HeaderOf("(2,)"), Bits32({0x3F800000, 0x40000000}));
  ASSERT_THAT(Read(file), IsOk());

  for (size_t size = 0; size < file.size(); ++size) {
    ExpectRefused(file.substr(0, size));
  }
  ExpectRefused(file + '\0');
  ExpectRefused("x" + file);
}

TEST_F(NpyTest, HeaderLengthBeyondTheFileIsRefused) {
  std::string file = NpyBytes(1, HeaderOf("(1,)"), Bits32({0}));
  file[8] = '\xff';
  file[9] = '\xff';

  ExpectRefused(file);
}

TEST_F(NpyTest, WhatIsNoFileIsNamed) {
  EXPECT_THAT(
      ReadNpy(folder_ / "none.npy"),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr(folder_ / "none.npy")));
  EXPECT_THAT(ReadNpy(folder_.path()),
              StatusIs(kInvalid, HasSubstr(folder_.path())));
}

TEST_F(NpyTest, WritesTheFormat) {
  float values[] = {1, -2, 0.5f};

  ASSERT_THAT(WriteNpy(path_, TensorView{values, DType::kF32, {3}}), IsOk());

  const std::string bytes = ReadText(path_);
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  // The preamble and the header fill a multiple of 64 and end in a newline.
  ASSERT_EQ(bytes.size(), 128u + 12u);
  EXPECT_EQ(bytes.substr(8, 2), LittleEndian(118, 2));
  EXPECT_EQ(bytes[127], '\n');
  EXPECT_THAT(bytes.substr(10, 118),
              HasSubstr("{'descr': '<f4', 'fortran_order': False, 'shape': "
                        "(3, ), }"));
  EXPECT_EQ(bytes.substr(128), Bits32({0x3F800000, 0xC0000000, 0x3F000000}));
}

TEST_F(NpyTest, WritesIntegers) {
  int32_t values[] = {-1, 49407};

  ASSERT_THAT(WriteNpy(path_, TensorView{values, DType::kI32, {1, 2}}), IsOk());

  const std::string bytes = ReadText(path_);
  EXPECT_THAT(bytes, HasSubstr("'descr': '<i4'"));
  EXPECT_THAT(bytes, HasSubstr("'shape': (1, 2, )"));
  EXPECT_EQ(bytes.substr(bytes.size() - 8), Bits32({0xFFFFFFFF, 49407}));
}

TEST_F(NpyTest, ReadsBackWhatItWrites) {
  const std::vector<uint32_t> bits = {0x00000001, 0x7F7FFFFF, 0x80000000,
                                      0x7F800000, 0x7FC00001, 0xC0490FDB};
  std::vector<float> values(6);
  std::memcpy(values.data(), bits.data(), 24);
  for (const Shape& shape : {Shape{6}, Shape{1, 6}, Shape{3, 2}, Shape{1, 2, 3},
                             Shape{1, 1, 2, 3}, Shape{1, 1, 1, 2, 3}}) {
    ASSERT_THAT(WriteNpy(path_, TensorView{values.data(), DType::kF32, shape}),
                IsOk());

    const auto array = ReadNpy(path_);

    ASSERT_THAT(array, IsOk()) << shape.ToString();
    EXPECT_EQ(array->shape(), shape);
    EXPECT_EQ(std::memcmp(array->f32(), bits.data(), 24), 0);
  }
}

TEST_F(NpyTest, WritesScalarsAndEmptyTensors) {
  float one = 1;
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{3, 0}}) {
    ASSERT_THAT(WriteNpy(path_, TensorView{&one, DType::kF32, shape}), IsOk());

    const auto array = ReadNpy(path_);

    ASSERT_THAT(array, IsOk()) << shape.ToString();
    EXPECT_EQ(array->shape(), shape);
  }
}

TEST_F(NpyTest, FailedWritesAreReported) {
  std::vector<float> values(1 << 20);
  const TensorView view{values.data(), DType::kF32, {1 << 20}};
  const TensorView small{values.data(), DType::kF32, {1}};

  EXPECT_THAT(WriteNpy(folder_ / "none/array.npy", small),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr(folder_ / "none/array.npy")));
  EXPECT_FALSE(WriteNpy(folder_.path(), small).ok());
  // Is a disk without room.
  for (const TensorView& tensor : {view, small}) {
    EXPECT_THAT(WriteNpy("/dev/full", tensor),
                StatusIs(absl::StatusCode::kResourceExhausted,
                         HasSubstr("cannot write /dev/full")));
  }
}

}  // namespace
}  // namespace tessera::model
