#include "coordinator/service/lora_codec.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

const std::string kDigest(64, 'a');

LoraEntry MakeEntry(const std::string& name) {
  return {.lora = {.name = name,
                   .sha256 = kDigest,
                   .size_bytes = 5'000'000'000,
                   .facts = {"kohya", 192},
                   .create_time = absl::FromUnixMicros(1'700'000'000'123'456)},
          .in_use = true};
}

TEST(LoraCodecTest, HeaderIsRead) {
  v1::LoraHeader proto;
  proto.set_name("ink");
  proto.set_sha256(kDigest);
  proto.set_size_bytes(7);
  proto.set_offset(3);

  const auto header = DecodeLoraHeader(proto);

  ASSERT_THAT(header, IsOk());
  EXPECT_EQ(header->name, (LoraName{"ink", kDigest}));
  EXPECT_EQ(header->size_bytes, 7);
  EXPECT_EQ(header->offset, 3);
}

TEST(LoraCodecTest, BadFieldsAreNamed) {
  v1::LoraHeader proto;
  proto.set_sha256(kDigest);
  EXPECT_THAT(
      DecodeLoraHeader(proto),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("name: must")));
  proto.set_name("ink@" + kDigest);  // a push gives the digest apart
  EXPECT_FALSE(DecodeLoraHeader(proto).ok());
  proto.set_name("ink");
  proto.set_sha256("A");
  EXPECT_THAT(
      DecodeLoraHeader(proto),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("sha256: must")));
  EXPECT_THAT(
      DecodeLoraName("a/b"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("name: must")));
  EXPECT_THAT(DecodeLoraPageToken("a/b"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("page_token: must")));
}

TEST(LoraCodecTest, LoraIsWrittenWhole) {
  const v1::Lora proto = EncodeLora(MakeEntry("ink"));

  EXPECT_EQ(proto.name(), "ink");
  EXPECT_EQ(proto.sha256(), kDigest);
  EXPECT_EQ(proto.size_bytes(), 5'000'000'000);
  EXPECT_EQ(proto.dialect(), "kohya");
  EXPECT_EQ(proto.layers(), 192);
  EXPECT_EQ(proto.create_time().seconds(), 1'700'000'000);
  EXPECT_EQ(proto.create_time().nanos(), 123'456'000);
  EXPECT_TRUE(proto.in_use());
}

TEST(LoraCodecTest, PageNamesWhereTheNextBegins) {
  LoraPage page{.loras = {MakeEntry("a"), MakeEntry("b")}, .last = false};
  const v1::ListLorasResponse first = EncodeLoraPage(page);
  EXPECT_EQ(first.loras_size(), 2);
  EXPECT_THAT(DecodeLoraPageToken(first.next_page_token()), IsOkAndHolds("b"));

  page.last = true;
  EXPECT_EQ(EncodeLoraPage(page).next_page_token(), "");
  EXPECT_EQ(EncodeLoraPage(LoraPage()).loras_size(), 0);
  EXPECT_THAT(DecodeLoraPageToken(""), IsOkAndHolds(""));
}

}  // namespace
}  // namespace tessera::coordinator
