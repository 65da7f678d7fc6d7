#include "worker/lora_download_grpc.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "common/rpc/channel.h"
#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/in_process_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/worker/lora/counting_events.h"
#include "worker/lora/node_cache.h"
#include "worker/resuming_source.h"

namespace tessera::worker {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A registry of files that breaks the first `breaks` streams off in the middle.
class FakeLoraService final : public v1::LoraService::Service {
 public:
  std::string Put(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    files_[sha256] = bytes;
    return sha256;
  }

  grpc::Status DownloadLora(
      grpc::ServerContext* context, const v1::DownloadLoraRequest* request,
      grpc::ServerWriter<v1::DownloadLoraResponse>* writer) override {
    offsets.push_back(request->offset());
    if (hang) {
      hanging.Notify();
      while (!context->IsCancelled()) std::this_thread::yield();
      return grpc::Status::CANCELLED;
    }
    const auto file = files_.find(request->sha256());
    if (file == files_.end()) {
      return {grpc::StatusCode::NOT_FOUND, "the registry has no such LoRA"};
    }
    const std::string rest = file->second.substr(request->offset());
    const bool broken = breaks > 0;
    if (broken) --breaks;
    const size_t end = broken ? rest.size() / 2 : rest.size();
    for (size_t at = 0; at < end; at += kChunkBytes) {
      v1::DownloadLoraResponse response;
      response.set_chunk(rest.substr(at, std::min(kChunkBytes, end - at)));
      writer->Write(response);
    }
    if (broken) return {grpc::StatusCode::UNAVAILABLE, "restarting"};
    return grpc::Status::OK;
  }

  static constexpr size_t kChunkBytes = size_t{1} << 20;
  int breaks = 0;
  bool hang = false;
  absl::Notification hanging;
  std::vector<int64_t> offsets;

 private:
  std::map<std::string, std::string> files_;
};

// A real server on a port of its own, and a source that calls it.
class LoraDownloadGrpcTest : public ::testing::Test {
 protected:
  absl::Status Fetch(const std::string& sha256, int64_t offset) {
    return source_->Fetch(sha256, offset, [&](std::string_view bytes) {
      got_ += bytes;
      return absl::OkStatus();
    });
  }

  // Bytes for several messages.
  const std::string large_ =
      std::string(FakeLoraService::kChunkBytes * 3, 'x') + "the end";
  FakeLoraService service_;
  testing::InProcessServer server_{service_};
  std::unique_ptr<GrpcLoraSource> source_ = std::make_unique<GrpcLoraSource>(
      v1::LoraService::NewStub(rpc::MakeChannel(server_.address())));
  std::string got_;
};

TEST_F(LoraDownloadGrpcTest, StreamsAFileFromAnOffset) {
  const std::string sha256 = service_.Put(large_);

  EXPECT_THAT(Fetch(sha256, 0), IsOk());
  EXPECT_EQ(got_, large_);

  got_.clear();
  EXPECT_THAT(Fetch(sha256, large_.size() - 7), IsOk());
  EXPECT_EQ(got_, "the end");
}

TEST_F(LoraDownloadGrpcTest, CarriesTheServicesStatus) {
  EXPECT_THAT(Fetch(std::string(64, '0'), 0),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no such LoRA")));
}

TEST_F(LoraDownloadGrpcTest, UnreachableIsUnavailable) {
  server_.Shutdown();

  EXPECT_THAT(Fetch(service_.Put("x"), 0),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(LoraDownloadGrpcTest, TheSinksErrorEndsTheStream) {
  const std::string sha256 = service_.Put(large_);
  int calls = 0;

  const absl::Status status = source_->Fetch(sha256, 0, [&](std::string_view) {
    ++calls;
    return absl::ResourceExhaustedError("full");
  });

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, "full"));
  EXPECT_EQ(calls, 1);
}

TEST_F(LoraDownloadGrpcTest, StopEndsACallUnderWayAndRefusesTheNext) {
  service_.hang = true;
  absl::Status status;
  std::thread fetching([&] { status = Fetch(std::string(64, '0'), 0); });
  service_.hanging.WaitForNotification();

  source_->Stop();
  fetching.join();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(Fetch(std::string(64, '0'), 0),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(LoraDownloadGrpcTest, TheNodesCacheGetsTheFileOverABrokenConnection) {
  const std::string sha256 = service_.Put(large_);
  service_.breaks = 2;
  ResumingSource resuming(*source_, {.first_backoff = absl::Milliseconds(1)},
                          RealClock());
  const testing::TemporaryFolder folder;
  lora::CountingEvents events;
  const auto cache = lora::NodeCache::Create(
      folder / "cache", {int64_t{16} << 20, absl::Minutes(1)}, resuming,
      lora::RealCacheDisk(), events, RealClock());
  ASSERT_THAT(cache, IsOk());

  const auto file = (*cache)->Open(sha256);

  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(testing::ReadText(file->path()), large_);
  const int64_t half = large_.size() / 2;
  const int64_t rest = static_cast<int64_t>(large_.size()) - half;
  EXPECT_THAT(service_.offsets, ElementsAre(0, half, half + rest / 2));
}

}  // namespace
}  // namespace tessera::worker
