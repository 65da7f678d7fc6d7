#include "client/lora_client.h"

#include <string>
#include <vector>

#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/fake_lora_service.h"
#include "tests/unit/client/instant_clock.h"
#include "tests/unit/client/scratch_folder.h"

namespace tessera::client {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LoraClientTest : public ::testing::Test {
 protected:
  LoraClientTest() : bytes_(1'000'000, 'x') {
    path_ = folder_.Write("ink.safetensors", bytes_);
  }

  LoraClient Connect() {
    ClientOptions options;
    options.coordinator = service_.address();
    return ConnectLoras(std::move(options), clock_);
  }

  absl::StatusOr<v1::Lora> Push() {
    const auto file = LoraFile::Open(path_);
    if (!file.ok()) return file.status();
    return Connect().Push("ink", *file,
                          [&](int64_t sent) { seen_.push_back(sent); });
  }

  ScratchFolder folder_;
  FakeLoraService service_;
  InstantClock clock_;
  const std::string bytes_;
  std::string path_;
  std::vector<int64_t> seen_;  // what progress was told
};

TEST_F(LoraClientTest, FileIsDigestedBeforeItIsSent) {
  const auto file = LoraFile::Open(path_);

  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->size, 1'000'000);
  EXPECT_EQ(file->sha256, Sha256Hex(bytes_));
}

TEST_F(LoraClientTest, FilesThatCannotBePushedAreNamed) {
  EXPECT_THAT(
      LoraFile::Open("/no/file"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("/no/file")));
  EXPECT_THAT(LoraFile::Open(folder_.path()),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(LoraFile::Open(folder_.Write("empty", "")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
}

TEST_F(LoraClientTest, PushSendsEveryByteUnderItsDigest) {
  const auto lora = Push();

  ASSERT_THAT(lora, IsOk());
  EXPECT_EQ(lora->name(), "ink");
  ASSERT_EQ(service_.headers.size(), 1u);
  EXPECT_EQ(service_.headers[0].sha256(), Sha256Hex(bytes_));
  EXPECT_EQ(service_.headers[0].size_bytes(), 1'000'000);
  EXPECT_EQ(service_.held, bytes_);
  EXPECT_THAT(seen_, ElementsAre(0, 262144, 524288, 786432, 1'000'000));
}

TEST_F(LoraClientTest, BrokenPushGoesOnWhereItStopped) {
  service_.break_at = 400'000;

  ASSERT_THAT(Push(), IsOk());

  ASSERT_EQ(service_.headers.size(), 2u);
  EXPECT_EQ(service_.headers[1].offset(), 400'000);
  EXPECT_EQ(service_.held, bytes_);
  EXPECT_EQ(seen_.back(), 1'000'000);
}

TEST_F(LoraClientTest, BytesOfAnEarlierPushAreNotSentAgain) {
  service_.held = bytes_;

  ASSERT_THAT(Push(), IsOk());

  ASSERT_EQ(service_.headers.size(), 1u);
  EXPECT_EQ(service_.headers[0].offset(), 1'000'000);
  EXPECT_THAT(seen_, ElementsAre(1'000'000));
}

TEST_F(LoraClientTest, RefusedPushIsNotRepeated) {
  service_.failures = {grpc::Status::OK,
                       grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                                    "lora_A without lora_B")};

  EXPECT_THAT(Push(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("without lora_B")));
  EXPECT_EQ(service_.headers.size(), 1u);
}

// A full disk at the other end: the query answers, the upload never does.
TEST_F(LoraClientTest, PushWithoutProgressIsGivenUpInTheEnd) {
  for (int i = 0; i < 10'000; ++i) {
    service_.failures.push_back(grpc::Status::OK);
    service_.failures.push_back(
        grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "disk is full"));
  }

  EXPECT_THAT(Push(), StatusIs(absl::StatusCode::kResourceExhausted,
                               HasSubstr("disk is full")));
}

TEST_F(LoraClientTest, RepeatedDeleteOfWhatIsGoneIsFine) {
  service_.failures = {
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting"),
      grpc::Status(grpc::StatusCode::NOT_FOUND, "unknown LoRA: ink")};
  EXPECT_THAT(Connect().Delete("ink"), IsOk());
  EXPECT_THAT(service_.deleted, ElementsAre("ink", "ink"));

  service_.failures = {
      grpc::Status(grpc::StatusCode::NOT_FOUND, "unknown LoRA: ink")};
  EXPECT_THAT(Connect().Delete("ink"), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace tessera::client
