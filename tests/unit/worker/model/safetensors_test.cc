#include "worker/model/safetensors.h"

#include <cstdint>
#include <filesystem>
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
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Two tensors and metadata; the data is 8 bytes of "a", then 6 of "b".
constexpr char kTwoTensors[] =
    R"({"__metadata__":{"format":"pt"},)"
    R"("b":{"dtype":"F16","shape":[3],"data_offsets":[8,14]},)"
    R"("a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";

// Parses a file of `header` and as many zero bytes as `data`.
absl::StatusOr<SafetensorsIndex> ParseHeader(const std::string& header,
                                             size_t data) {
  // Lives on, for the index points into it.
  static std::string file;
  file = SafetensorsBytes(header, std::string(data, '\0'));
  return SafetensorsIndex::Parse(file, "m.safetensors");
}

TEST(SafetensorsTest, FindsTensorsWhateverTheirOrder) {
  const std::string file = SafetensorsBytes(kTwoTensors, "aaaaaaaabbbbbb");

  const auto index = SafetensorsIndex::Parse(file, "m");

  ASSERT_THAT(index, IsOk());
  ASSERT_THAT(index->tensors(), ElementsAre(Key("a"), Key("b")));
  const kernels::TensorView& a = index->tensors().at("a");
  const kernels::TensorView& b = index->tensors().at("b");
  EXPECT_EQ(a.dtype, DType::kF32);
  EXPECT_EQ(a.shape, (Shape{1, 2}));
  EXPECT_EQ(a.data, file.data() + file.size() - 14);
  EXPECT_EQ(b.dtype, DType::kF16);
  EXPECT_EQ(b.shape, Shape{3});
  EXPECT_EQ(b.data, file.data() + file.size() - 6);
  EXPECT_THAT(index->metadata(), ElementsAre(Pair("format", "pt")));
}

TEST(SafetensorsTest, KnowsFourTypes) {
  const std::vector<std::pair<std::string, DType>> types = {
      {"F32", DType::kF32},
      {"F16", DType::kF16},
      {"BF16", DType::kBF16},
      {"I32", DType::kI32}};
  for (const auto& [name, dtype] : types) {
    const int64_t bytes = 3 * kernels::SizeOf(dtype);

    const auto index =
        ParseHeader(OneTensor(name, "[3]", absl::StrCat("[0,", bytes, "]")),
                    static_cast<size_t>(bytes));

    ASSERT_THAT(index, IsOk()) << name;
    EXPECT_EQ(index->tensors().at("t").dtype, dtype);
  }
}

TEST(SafetensorsTest, TensorsThatNoOpReadsStandAside) {
  const std::vector<std::pair<std::string, size_t>> types = {
      {"BOOL", 1},    {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1},
      {"F8_E4M3", 1}, {"I16", 2}, {"U16", 2}, {"U32", 4},
      {"F64", 8},     {"I64", 8}, {"U64", 8}};
  for (const auto& [type, size] : types) {
    const std::string end = absl::StrCat("[0,", 3 * size, "]");
    const auto index = ParseHeader(OneTensor(type, "[3]", end), 3 * size);

    ASSERT_THAT(index, IsOk()) << type;
    EXPECT_THAT(index->tensors(), IsEmpty());
    EXPECT_THAT(index->others(), ElementsAre(Pair("t", type)));
    EXPECT_THAT(ParseHeader(OneTensor(type, "[2]", end), 3 * size),
                StatusIs(kInvalid, HasSubstr("do not fit its shape")))
        << type;
  }
}

TEST(SafetensorsTest, ReadsUpToFiveAxes) {
  const std::vector<std::pair<std::string, Shape>> shapes = {
      {"[]", Shape{}},
      {"[1]", Shape{1}},
      {"[1,1]", Shape{1, 1}},
      {"[1,1,1]", Shape{1, 1, 1}},
      {"[1,1,1,1]", Shape{1, 1, 1, 1}},
      {"[1,1,1,1,1]", Shape{1, 1, 1, 1, 1}}};
  for (const auto& [text, shape] : shapes) {
    const auto index = ParseHeader(OneTensor("F32", text, "[0,4]"), 4);

    ASSERT_THAT(index, IsOk()) << text;
    EXPECT_EQ(index->tensors().at("t").shape, shape) << text;
  }
}

TEST(SafetensorsTest, EmptyTensorsTakeNoPlace) {
  const auto index = ParseHeader(
      R"({"first":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]},)"
      R"("t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
      R"("last":{"dtype":"F16","shape":[0],"data_offsets":[4,4]}})",
      4);

  ASSERT_THAT(index, IsOk());
  EXPECT_THAT(index->tensors(),
              UnorderedElementsAre(Key("first"), Key("t"), Key("last")));
}

TEST(SafetensorsTest, FileMayHoldNothing) {
  for (const char* header :
       {"{}", "{} \n\t ", R"({"__metadata__":{}})", "  {}"}) {
    const auto index = ParseHeader(header, 0);

    ASSERT_THAT(index, IsOk()) << header;
    EXPECT_THAT(index->tensors(), IsEmpty());
    EXPECT_THAT(index->metadata(), IsEmpty());
  }
}

TEST(SafetensorsTest, HeaderMayBePadded) {
  const auto index = ParseHeader(
      OneTensor("F32", "[1]", "[0,4]") + std::string(1 << 20, ' '), 4);

  EXPECT_THAT(index, IsOk());
}

TEST(SafetensorsTest, NamesMayHoldAnyText) {
  const auto index = ParseHeader(
      R"({"[[[[[[[[[[{{{{\"]}":{"dtype":"F32","shape":[0],)"
      R"("data_offsets":[0,0]},)"
      R"("\u00e9":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})",
      0);

  ASSERT_THAT(index, IsOk());
  EXPECT_THAT(index->tensors(),
              UnorderedElementsAre(Key("[[[[[[[[[[{{{{\"]}"), Key("é")));
}

TEST(SafetensorsTest, UnknownFieldsOfATensorAreIgnored) {
  EXPECT_THAT(ParseHeader(R"({"t":{"dtype":"F32","shape":[1],"note":{"x":[1]},)"
                          R"("data_offsets":[0,4]}})",
                          4),
              IsOk());
}

TEST(SafetensorsTest, EveryPrefixIsRefused) {
  const std::string file = SafetensorsBytes(kTwoTensors, std::string(14, 'x'));
  ASSERT_THAT(SafetensorsIndex::Parse(file, "m"), IsOk());

  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_THAT(
        SafetensorsIndex::Parse(std::string_view(file).substr(0, size), "cut"),
        StatusIs(kInvalid, StartsWith("cut: not a valid safetensors file: ")))
        << size;
  }
}

// Every byte of a small file is replaced; whatever comes of it, no view may
// leave the file.
TEST(SafetensorsTest, ChangedBytesNeverPointOutside) {
  const std::string good = SafetensorsBytes(kTwoTensors, std::string(14, 'x'));
  int refused = 0;
  for (size_t at = 0; at + 14 < good.size(); ++at) {
    for (const char byte : {'\0', '0', '9', '-', '"', '}', '[', '\xff'}) {
      std::string file = good;
      file[at] = byte;
      const auto index = SafetensorsIndex::Parse(file, "m");
      if (!index.ok()) {
        EXPECT_THAT(index, StatusIs(kInvalid)) << at << " " << byte;
        ++refused;
        continue;
      }
      for (const auto& [name, view] : index->tensors()) {
        const char* const begin = static_cast<const char*>(view.data);
        EXPECT_GE(begin, file.data() + 8) << name;
        EXPECT_LE(begin + view.bytes(), file.data() + file.size()) << name;
      }
    }
  }
  EXPECT_GT(refused, 500);
}

TEST(SafetensorsOpenTest, BytesStayWhenItMoves) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  const std::string file =
      SafetensorsBytes(OneTensor("F32", "[1]", "[0,4]"), "data");
  WriteText(path, file);

  auto opened = Safetensors::Open(path);
  ASSERT_THAT(opened, IsOk());
  const Safetensors moved = *std::move(opened);

  EXPECT_EQ(moved.path(), path);
  EXPECT_EQ(moved.bytes(), file);
  const kernels::TensorView& t = moved.index().tensors().at("t");
  EXPECT_EQ(std::string_view(static_cast<const char*>(t.data), 4), "data");
}

TEST(SafetensorsOpenTest, WhatIsNoFileIsNamed) {
  const TemporaryFolder folder;
  const std::string empty = folder / "empty.safetensors";
  WriteText(empty, "");

  EXPECT_THAT(Safetensors::Open(folder / "none.safetensors"),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr(folder / "none.safetensors")));
  EXPECT_THAT(Safetensors::Open(folder.path()),
              StatusIs(kInvalid, AllOf(HasSubstr("not a regular file"),
                                       HasSubstr(folder.path()))));
  EXPECT_THAT(Safetensors::Open(empty),
              StatusIs(kInvalid, absl::StrCat(empty,
                                              ": not a valid safetensors file: "
                                              "too short for a header: "
                                              "0 bytes")));
}

}  // namespace
}  // namespace tessera::model
