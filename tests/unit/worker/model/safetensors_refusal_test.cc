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
#include "worker/model/safetensors.h"

namespace tessera::model {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::tessera::testing::TemporaryFolder;
using ::tessera::testing::WriteText;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Parses a file of `header` and as many zero bytes as `data`.
absl::StatusOr<SafetensorsIndex> ParseHeader(const std::string& header,
                                             size_t data) {
  // Lives on, for the index points into it.
  static std::string file;
  file = SafetensorsBytes(header, std::string(data, '\0'));
  return SafetensorsIndex::Parse(file, "m.safetensors");
}

// A header and what is wrong with it, as the message ends.
struct BadHeader {
  std::string header;
  size_t data = 0;
  std::string error;
};

// Expects each header to be refused with file, reason and place.
void ExpectRefused(const std::vector<BadHeader>& cases) {
  for (const BadHeader& bad : cases) {
    EXPECT_THAT(ParseHeader(bad.header, bad.data),
                StatusIs(kInvalid, absl::StrCat("m.safetensors: not a valid "
                                                "safetensors file: ",
                                                bad.error)))
        << bad.header;
  }
}

TEST(SafetensorsRefusalTest, UnknownTypesAreNamed) {
  for (const char* type : {"f32", "F32 ", "C64", ""}) {
    EXPECT_THAT(ParseHeader(OneTensor(type, "[1]", "[0,4]"), 4),
                StatusIs(kInvalid, HasSubstr(absl::StrCat("unknown dtype ",
                                                          type, ": t"))));
  }
}

TEST(SafetensorsRefusalTest, LengthBeyondTheFileIsRefused) {
  for (const uint64_t length :
       {uint64_t{3}, uint64_t{100'000'000}, uint64_t{100'000'001},
        uint64_t{1} << 32, uint64_t{1} << 63, UINT64_MAX - 7, UINT64_MAX}) {
    EXPECT_THAT(
        SafetensorsIndex::Parse(LittleEndian(length, 8) + "{}", "m"),
        StatusIs(kInvalid,
                 absl::StrCat("m: not a valid safetensors file: the header "
                              "does not fit the file: header of ",
                              length, " bytes in a file of 10")));
  }
}

// The format's own reader has the same limit. The file has no blocks on disk.
TEST(SafetensorsRefusalTest, HeaderOver100MegabytesIsRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  WriteText(path, LittleEndian(100'000'001, 8));
  std::filesystem::resize_file(path, 200'000'000);

  EXPECT_THAT(
      Safetensors::Open(path),
      StatusIs(kInvalid, HasSubstr("the header does not fit the file: header "
                                   "of 100000001 bytes in a file of "
                                   "200000000")));
}

TEST(SafetensorsRefusalTest, HeaderThatIsNoObjectIsRefused) {
  std::vector<BadHeader> cases;
  for (const char* header : {"",
                             " ",
                             "[]",
                             "1",
                             "null",
                             "true",
                             "\"{}\"",
                             "{",
                             "}",
                             "{}}",
                             "{}{}",
                             "{'t':1}",
                             "{\"t\":}",
                             "{\"t\" 1}",
                             "{\"t\":1,}",
                             "{}//",
                             "{\"t\":nan}",
                             "{\"t\":1e999}",
                             "{\"t\":01}",
                             "{\"\xff\":{}}",
                             "{\"\xc3\":{}}",
                             "{\"\xed\xa0\x80\":{}}",
                             "{\"\xc0\x80\":{}}",
                             R"({"\ud800":{}})",
                             R"({"\x":{}})",
                             "{\"\n\":{}}"}) {
    cases.push_back({header, 0, "bad header: not a JSON object"});
  }
  ExpectRefused(cases);
}

// Some parsers take a zero byte for the end of the text.
TEST(SafetensorsRefusalTest, ZeroBytesAreRefused) {
  const std::string zero(1, '\0');
  ExpectRefused({{"{}" + zero, 0, "bad header: holds a zero byte"},
                 {"{}" + zero + "{}", 0, "bad header: holds a zero byte"},
                 {zero, 0, "bad header: holds a zero byte"}});
}

TEST(SafetensorsRefusalTest, RepeatedNamesAreRefused) {
  const std::string tensor =
      R"({"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  ExpectRefused({
      {"{\"t\":" + tensor + ",\"t\":" + tensor + "}", 0,
       "bad header: repeated name: t"},
      {"{\"t\":" + tensor + ",\"\\u0074\":" + tensor + "}", 0,
       "bad header: repeated name: t"},
      {R"({"__metadata__":{},"__metadata__":{}})", 0,
       "bad header: repeated name: __metadata__"},
      {R"({"__metadata__":{"k":"1","k":"2"}})", 0,
       "bad header: repeated name: k"},
      {R"({"t":{"dtype":"F32","dtype":"F16","shape":[0],)"
       R"("data_offsets":[0,0]}})",
       0, "bad header: repeated name: dtype"},
  });
  // The same name in two objects is none repeated.
  EXPECT_THAT(ParseHeader("{\"t\":" + tensor + ",\"dtype\":" + tensor + "}", 0),
              IsOk());
}

TEST(SafetensorsRefusalTest, DeepNestingIsRefused) {
  const std::string deep(1'000'000, '[');
  ExpectRefused({
      {"{\"\\\"\":" + deep, 0, "bad header: nests too deeply"},
      {"{\"t\":" + deep, 0, "bad header: nests too deeply"},
      {"{\"__metadata__\":" + deep + std::string(deep.size(), ']') + "}", 0,
       "bad header: nests too deeply"},
  });
}

TEST(SafetensorsRefusalTest, MetadataMustBeStrings) {
  ExpectRefused({
      {R"({"__metadata__":null})", 0, "bad metadata: not an object"},
      {R"({"__metadata__":["a"]})", 0, "bad metadata: not an object"},
      {R"({"__metadata__":"a"})", 0, "bad metadata: not an object"},
      {R"({"__metadata__":{"k":1}})", 0, "bad metadata: k"},
      {R"({"__metadata__":{"a":"b","k":null}})", 0, "bad metadata: k"},
      {R"({"__metadata__":{"k":{"a":"b"}}})", 0, "bad metadata: k"},
  });
}

TEST(SafetensorsRefusalTest, TensorLacksAField) {
  ExpectRefused({
      {R"({"t":null})", 0, "a tensor is not an object: t"},
      {R"({"t":[1]})", 0, "a tensor is not an object: t"},
      {R"({"t":{}})", 0, "a tensor has no dtype: t"},
      {R"({"t":{"dtype":7}})", 0, "a tensor has no dtype: t"},
      {R"({"t":{"dtype":"F32"}})", 0, "a tensor has no shape: t"},
      {R"({"t":{"dtype":"F32","shape":4}})", 0, "a tensor has no shape: t"},
      {R"({"t":{"dtype":"F32","shape":{"0":4}}})", 0,
       "a tensor has no shape: t"},
      {R"({"t":{"dtype":"F32","shape":[0]}})", 0,
       "a tensor has no data_offsets: t"},
  });
}

TEST(SafetensorsRefusalTest, ShapesThatAreNoSizesAreRefused) {
  std::vector<BadHeader> cases;
  for (const char* extent : {"-1", "1.0", "1e2", "\"1\"", "null", "[1]", "true",
                             "2147483648", "18446744073709551615",
                             "18446744073709551616", "-9223372036854775808"}) {
    cases.push_back(
        {OneTensor("F32", absl::StrCat("[1,", extent, "]"), "[0,4]"), 4,
         "a shape holds something that is not a size: t"});
  }
  cases.push_back({OneTensor("F32", "[1,1,1,1,1,1]", "[0,4]"), 4,
                   "a tensor has more than 5 axes: t"});
  // The products are 2^64, 2^62 and 2^155, which a careless one wraps.
  for (const char* shape :
       {"[65536,65536,65536,65536]", "[1073741824,1073741824,4]",
        "[2147483647,2147483647,2147483647,2147483647,2147483647]"}) {
    cases.push_back(
        {OneTensor("F32", shape, "[0,0]"), 0, "a shape is too large: t"});
  }
  ExpectRefused(cases);
}

TEST(SafetensorsRefusalTest, OffsetsThatAreNoneAreRefused) {
  std::vector<BadHeader> cases;
  for (const char* offsets :
       {"null", "4", "[]", "[0]", "[0,4,8]", "[-1,3]", "[0,-4]", "[0.0,4]",
        "[0,4.5]", "[0,4e0]", "[\"0\",\"4\"]", "[null,4]", "[0,[4]]",
        "[0,18446744073709551616]", "{\"begin\":0,\"end\":4}"}) {
    cases.push_back({OneTensor("F32", "[1]", offsets), 4,
                     "a tensor has no data_offsets: t"});
  }
  for (const char* offsets :
       {"[4,0]", "[0,5]", "[4,8]", "[0,18446744073709551615]",
        "[18446744073709551612,18446744073709551615]",
        "[18446744073709551615,4]"}) {
    cases.push_back({OneTensor("F32", "[1]", offsets), 4,
                     "a tensor lies outside the file: t"});
  }
  ExpectRefused(cases);
}

TEST(SafetensorsRefusalTest, BytesMustFitTypeAndShape) {
  const std::string error = "a tensor's bytes do not fit its shape: t";
  ExpectRefused({
      {OneTensor("F32", "[2]", "[0,4]"), 4, error},
      {OneTensor("F32", "[1]", "[0,8]"), 8, error},
      {OneTensor("F16", "[1]", "[0,4]"), 4, error},
      {OneTensor("F32", "[1]", "[0,0]"), 0, error},
      {OneTensor("F32", "[0]", "[0,4]"), 4, error},
      {OneTensor("F32", "[]", "[0,0]"), 0, error},
  });
}

TEST(SafetensorsRefusalTest, TensorsMustTileTheData) {
  // Two tensors of 4 bytes each, "t" and "u".
  const auto two = [](const std::string& t, const std::string& u) {
    return absl::StrCat(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":)", t,
                        R"(},"u":{"dtype":"F32","shape":[1],"data_offsets":)",
                        u, "}}");
  };
  EXPECT_THAT(ParseHeader(two("[4,8]", "[0,4]"), 8), IsOk());
  ExpectRefused({
      {two("[0,4]", "[0,4]"), 4, "tensors overlap: u"},
      {two("[0,4]", "[2,6]"), 6, "tensors overlap: u"},
      {two("[2,6]", "[0,4]"), 6, "tensors overlap: t"},
      {two("[0,4]", "[5,9]"), 9, "unused bytes before a tensor: u"},
      {two("[1,5]", "[5,9]"), 9, "unused bytes before a tensor: t"},
      {two("[0,4]", "[4,8]"), 11, "bytes that no tensor uses: 3 at the end"},
      {"{}", 1, "bytes that no tensor uses: 1 at the end"},
  });
}

}  // namespace
}  // namespace tessera::model
