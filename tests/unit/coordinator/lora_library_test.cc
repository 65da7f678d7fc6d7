#include "coordinator/lora_library.h"

#include <memory>
#include <string>

#include "common/folder_blob_store.h"
#include "common/sha256.h"
#include "coordinator/store/sqlite_job_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/coordinator_harness.h"
#include "tests/unit/coordinator/failing_job_store.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::ReadText;
using ::tessera::testing::StatusIs;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Ne;
using ::testing::SizeIs;

// A library over a real store and folder. Files are LoRAs when they start with
// "lora".
class LoraLibraryTest : public ::testing::Test {
 protected:
  LoraLibraryTest()
      : harness_([](const std::string& path) {
          return SqliteJobStore::Open(path).value();
        }) {
    Open();
  }

  void Open() {
    library_.reset();
    blobs_ =
        FolderBlobStore::Open(harness_.folder() / "blobs", harness_.clock())
            .value();
    library_ =
        LoraLibrary::Open(harness_.coordinator(), *blobs_,
                          [](const std::string& path) { return Inspect(path); })
            .value();
  }

  // Kills the coordinator and starts it on the same files.
  void Restart() {
    library_.reset();
    harness_.Restart();
    Open();
  }

  static absl::StatusOr<LoraFacts> Inspect(const std::string& path) {
    if (ReadText(path).starts_with("lora")) return LoraFacts{"kohya", 12};
    return absl::InvalidArgumentError(path + ": not safetensors");
  }

  static LoraHeader Header(const std::string& name, const std::string& bytes,
                           int64_t offset) {
    return {.name = {name, Sha256Hex(bytes)},
            .size_bytes = static_cast<int64_t>(bytes.size()),
            .offset = offset};
  }

  // Pushes all of a file.
  absl::StatusOr<LoraEntry> Push(const std::string& name,
                                 const std::string& bytes) {
    const LoraHeader header = Header(name, bytes, 0);
    auto known = library_->Begin(header);
    if (!known.ok()) return known.status();
    if (known->has_value()) return **std::move(known);
    const absl::Status status = library_->Append(header, 0, bytes);
    return status.ok() ? library_->Finish(header, header.size_bytes)
                       : absl::StatusOr<LoraEntry>(status);
  }

  // Returns the bytes of the version that a name means.
  std::string Contents(const LoraName& name) {
    const auto entry = harness_.coordinator().GetLora(name);
    if (!entry.ok()) return entry.status().ToString();
    const auto reader = library_->Read(entry->lora.sha256);
    if (!reader.ok()) return reader.status().ToString();
    return (*reader)->Read(0, (*reader)->size()).value();
  }

  // Submits a job that uses a version.
  JobId SubmitUsing(const LoraPin& pin) {
    const JobHeader header = harness_.Header("out-" + pin.sha256.substr(0, 8));
    const JobId job = harness_.coordinator().BeginJob(header)->id;
    EXPECT_THAT(harness_.coordinator().AddShards(job, {MakeDraft(0, 1, 1)}),
                IsOk());
    EXPECT_THAT(harness_.coordinator().PinLoras(job, {pin}), IsOk());
    EXPECT_THAT(harness_.coordinator().FinishJob(job, 1), IsOk());
    return job;
  }

  CoordinatorHarness harness_;
  std::unique_ptr<FolderBlobStore> blobs_;
  std::unique_ptr<LoraLibrary> library_;
};

TEST_F(LoraLibraryTest, PushedFileIsCheckedKeptAndNamed) {
  const auto entry = Push("ink", "lora 1");

  ASSERT_THAT(entry, IsOk());
  EXPECT_EQ(entry->lora.name, "ink");
  EXPECT_EQ(entry->lora.sha256, Sha256Hex("lora 1"));
  EXPECT_EQ(entry->lora.size_bytes, 6);
  EXPECT_EQ(entry->lora.facts.dialect, "kohya");
  EXPECT_EQ(entry->lora.facts.layers, 12);
  EXPECT_EQ(entry->lora.create_time, harness_.clock().Now());
  EXPECT_FALSE(entry->in_use);
  EXPECT_EQ(Contents({"ink", ""}), "lora 1");
}

TEST_F(LoraLibraryTest, EverythingIsThereAfterARestart) {
  ASSERT_THAT(Push("ink", "lora 1"), IsOk());
  ASSERT_THAT(Push("ink", "lora 2"), IsOk());

  Restart();

  EXPECT_EQ(Contents({"ink", ""}), "lora 2");
  EXPECT_EQ(Contents({"ink", Sha256Hex("lora 1")}), "lora 1");
}

TEST_F(LoraLibraryTest, BrokenUploadGoesOnAfterARestart) {
  const LoraHeader first = Header("ink", "lora 1", 0);
  ASSERT_THAT(library_->Begin(first), IsOkAndHolds(Eq(std::nullopt)));
  ASSERT_THAT(library_->Append(first, 0, "lor"), IsOk());

  Restart();

  ASSERT_THAT(library_->ReceivedBytes(first.name.sha256), IsOkAndHolds(3));
  const LoraHeader second = Header("ink", "lora 1", 3);
  ASSERT_THAT(library_->Begin(second), IsOkAndHolds(Eq(std::nullopt)));
  ASSERT_THAT(library_->Append(second, 3, "a 1"), IsOk());
  ASSERT_THAT(library_->Finish(second, 6), IsOk());
  EXPECT_EQ(Contents({"ink", ""}), "lora 1");
}

TEST_F(LoraLibraryTest, AnEarlierOffsetSendsTheRestAgain) {
  const LoraHeader first = Header("ink", "lora 1", 0);
  ASSERT_THAT(library_->Begin(first), IsOk());
  ASSERT_THAT(library_->Append(first, 0, "lorX"), IsOk());

  const LoraHeader second = Header("ink", "lora 1", 3);
  ASSERT_THAT(library_->Begin(second), IsOk());
  EXPECT_THAT(library_->Append(first, 4, " 1"),
              StatusIs(absl::StatusCode::kAborted));  // the older upload
  ASSERT_THAT(library_->Append(second, 3, "a 1"), IsOk());

  EXPECT_THAT(library_->Finish(second, 6), IsOk());
}

TEST_F(LoraLibraryTest, TheSlowerOfTwoUploadsFindsTheFileThere) {
  const LoraHeader slow = Header("ink", "lora 1", 0);
  ASSERT_THAT(library_->Begin(slow), IsOk());
  ASSERT_THAT(library_->Append(slow, 0, "lora 1"), IsOk());
  ASSERT_THAT(Push("tusche", "lora 1"), IsOk());

  const auto entry = library_->Finish(slow, 6);

  ASSERT_THAT(entry, IsOk());
  EXPECT_EQ(entry->lora.name, "ink");
}

TEST_F(LoraLibraryTest, AnUploadThatWasBegunAnewIsNotTruncated) {
  const LoraHeader first = Header("ink", "lora 1", 0);
  ASSERT_THAT(library_->Begin(first), IsOk());
  ASSERT_THAT(library_->Append(first, 0, "lora 1"), IsOk());
  ASSERT_THAT(library_->Begin(Header("ink", "lora 1", 2)), IsOk());

  EXPECT_THAT(library_->Finish(first, 6),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("took over")));
  EXPECT_THAT(library_->ReceivedBytes(first.name.sha256), IsOkAndHolds(2));
}

TEST_F(LoraLibraryTest, ALaterOffsetThanHeldIsAborted) {
  EXPECT_THAT(library_->Begin(Header("ink", "lora 1", 2)),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("only 0 bytes")));
}

TEST_F(LoraLibraryTest, KnownBytesAreNotSentAgain) {
  ASSERT_THAT(Push("ink", "lora 1"), IsOk());
  harness_.clock().Advance(absl::Hours(1));
  EXPECT_THAT(library_->ReceivedBytes(Sha256Hex("lora 1")), IsOkAndHolds(6));

  const auto again = library_->Begin(Header("ink", "lora 1", 6));
  const auto other = library_->Begin(Header("tusche", "lora 1", 0));

  ASSERT_THAT(again, IsOkAndHolds(Ne(std::nullopt)));
  EXPECT_EQ((*again)->lora.create_time,
            harness_.clock().Now() - absl::Hours(1));
  ASSERT_THAT(other, IsOkAndHolds(Ne(std::nullopt)));
  EXPECT_EQ((*other)->lora.facts.dialect, "kohya");
  EXPECT_EQ(Contents({"tusche", ""}), "lora 1");
  EXPECT_THAT(blobs_->List(), IsOkAndHolds(SizeIs(1)));
}

TEST_F(LoraLibraryTest, WrongDigestIsRefusedAndForgotten) {
  LoraHeader header = Header("ink", "lora 1", 0);
  ASSERT_THAT(library_->Begin(header), IsOk());
  ASSERT_THAT(library_->Append(header, 0, "lora 2"), IsOk());

  EXPECT_THAT(library_->Finish(header, 6),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(Sha256Hex("lora 2"))));
  EXPECT_THAT(library_->ReceivedBytes(header.name.sha256), IsOkAndHolds(0));
  EXPECT_THAT(harness_.coordinator().GetLora({"ink", ""}),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LoraLibraryTest, TruncatedFileIsRefusedAndMayGoOn) {
  const LoraHeader header = Header("ink", "lora 1", 0);
  ASSERT_THAT(library_->Begin(header), IsOk());
  ASSERT_THAT(library_->Append(header, 0, "lora"), IsOk());

  EXPECT_THAT(
      library_->Finish(header, 4),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("4 of 6 bytes")));
  EXPECT_THAT(library_->ReceivedBytes(header.name.sha256), IsOkAndHolds(4));
}

TEST_F(LoraLibraryTest, MoreBytesThanAnnouncedAreRefused) {
  const LoraHeader header = Header("ink", "lora 1", 0);
  ASSERT_THAT(library_->Begin(header), IsOk());

  EXPECT_THAT(library_->Append(header, 0, "lora 1x"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("larger than announced: 7 of 6")));
}

TEST_F(LoraLibraryTest, FileThatIsNoLoraIsRefusedWithoutOurPaths) {
  const auto refused = Push("ink", "pickle");

  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(std::string(refused.status().message()), "not safetensors");
  EXPECT_THAT(library_->ReceivedBytes(Sha256Hex("pickle")), IsOkAndHolds(0));
  EXPECT_THAT(blobs_->List(), IsOkAndHolds(IsEmpty()));
}

TEST_F(LoraLibraryTest, SizesOutOfRangeAreRefused) {
  LoraHeader header = Header("ink", "lora 1", 0);
  for (const int64_t size : {int64_t{-1}, int64_t{0}, kMaxLoraBytes + 1}) {
    header.size_bytes = size;
    EXPECT_THAT(library_->Begin(header),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << size;
  }
  header.size_bytes = 6;
  for (const int64_t offset : {-1, 7}) {
    header.offset = offset;
    EXPECT_THAT(library_->Begin(header),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << offset;
  }
  ASSERT_THAT(Push("ink", "lora 1"), IsOk());
  header.offset = 0;
  header.size_bytes = 5;
  EXPECT_THAT(library_->Begin(header),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has 6 bytes, not 5")));
}

TEST_F(LoraLibraryTest, DeletedNameTakesItsFilesUnlessAnotherNeedsThem) {
  ASSERT_THAT(Push("ink", "lora 1"), IsOk());
  ASSERT_THAT(Push("ink", "lora 2"), IsOk());
  ASSERT_THAT(Push("tusche", "lora 1"), IsOk());

  ASSERT_THAT(library_->Delete({"ink", ""}), IsOk());

  EXPECT_THAT(blobs_->List(), IsOkAndHolds(SizeIs(1)));
  EXPECT_EQ(Contents({"tusche", ""}), "lora 1");
  EXPECT_THAT(library_->Read(Sha256Hex("lora 2")),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(library_->Delete({"ink", ""}),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LoraLibraryTest, UsedLoraIsKeptUntilTheJobHasEnded) {
  ASSERT_THAT(Push("ink", "lora 1"), IsOk());
  const LoraPin pin{"ink", Sha256Hex("lora 1")};
  const JobId job = SubmitUsing(pin);
  ASSERT_THAT(Push("ink", "lora 2"), IsOk());

  EXPECT_THAT(library_->Delete({"ink", ""}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  Restart();
  EXPECT_THAT(library_->Delete({"ink", pin.sha256}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(harness_.coordinator().GetLora({"ink", pin.sha256})->in_use);
  EXPECT_FALSE(harness_.coordinator().GetLora({"ink", ""})->in_use);

  ASSERT_THAT(harness_.Finish("w", harness_.Take("w")), IsOk());
  ASSERT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));

  EXPECT_THAT(library_->Delete({"ink", ""}), IsOk());
  EXPECT_THAT(blobs_->List(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(ReadText(harness_.Get(job).header.output_uri + "/job.json"),
              HasSubstr(pin.sha256));
}

TEST_F(LoraLibraryTest, CancelledAndAbortedJobsReleaseTheirLoras) {
  ASSERT_THAT(Push("ink", "lora 1"), IsOk());
  const LoraPin pin{"ink", Sha256Hex("lora 1")};
  const JobId cancelled = SubmitUsing(pin);
  const JobId aborted =
      harness_.coordinator().BeginJob(harness_.Header("other"))->id;
  ASSERT_THAT(harness_.coordinator().PinLoras(aborted, {pin}), IsOk());

  ASSERT_THAT(harness_.coordinator().CancelJob(cancelled), IsOk());
  ASSERT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));
  EXPECT_THAT(library_->Delete({"ink", ""}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_THAT(harness_.coordinator().AbortJob(aborted), IsOk());

  EXPECT_THAT(library_->Delete({"ink", ""}), IsOk());
}

TEST_F(LoraLibraryTest, JobHalfMadeAtACrashHoldsNothing) {
  ASSERT_THAT(Push("ink", "lora 1"), IsOk());
  const JobId half =
      harness_.coordinator().BeginJob(harness_.Header("half"))->id;
  ASSERT_THAT(
      harness_.coordinator().PinLoras(half, {{"ink", Sha256Hex("lora 1")}}),
      IsOk());

  Restart();

  EXPECT_THAT(library_->Delete({"ink", ""}), IsOk());
}

TEST_F(LoraLibraryTest, LoraDeletedDuringASubmitAbortsIt) {
  ASSERT_THAT(Push("ink", "lora 1"), IsOk());
  const JobId job = harness_.coordinator().BeginJob(harness_.Header("out"))->id;
  ASSERT_THAT(library_->Delete({"ink", ""}), IsOk());

  EXPECT_THAT(
      harness_.coordinator().PinLoras(job, {{"ink", Sha256Hex("lora 1")}}),
      StatusIs(absl::StatusCode::kAborted, HasSubstr("ink@")));
}

// Killed between the rename and the row.
TEST_F(LoraLibraryTest, FileWithoutARowIsSweptAtTheStart) {
  ASSERT_THAT(Push("ink", "lora 1"), IsOk());
  const std::string orphan = Sha256Hex("lora 2");
  ASSERT_THAT(blobs_->Append(orphan, 0, "lora 2"), IsOk());
  ASSERT_THAT(blobs_->Publish(orphan), IsOk());
  EXPECT_THAT(library_->ReceivedBytes(orphan), IsOkAndHolds(0));

  Restart();

  EXPECT_THAT(blobs_->List(), IsOkAndHolds(SizeIs(1)));
  EXPECT_EQ(Contents({"ink", ""}), "lora 1");
}

// The folder of one store beside the empty store of somebody else.
TEST_F(LoraLibraryTest, FilesBesideAnEmptyStoreAreKept) {
  const std::string foreign = Sha256Hex("lora 2");
  ASSERT_THAT(blobs_->Append(foreign, 0, "lora 2"), IsOk());
  ASSERT_THAT(blobs_->Publish(foreign), IsOk());

  Restart();

  EXPECT_THAT(blobs_->List(), IsOkAndHolds(SizeIs(1)));
}

TEST_F(LoraLibraryTest, FileThatWasTakenAwayIsPushedAnew) {
  ASSERT_THAT(Push("ink", "lora 1"), IsOk());
  ASSERT_THAT(blobs_->Remove(Sha256Hex("lora 1")), IsOk());

  EXPECT_THAT(library_->ReceivedBytes(Sha256Hex("lora 1")), IsOkAndHolds(0));
  ASSERT_THAT(Push("ink", "lora 1"), IsOk());

  EXPECT_EQ(Contents({"ink", ""}), "lora 1");
}

TEST_F(LoraLibraryTest, UploadsExpireAfterADay) {
  const LoraHeader header = Header("ink", "lora 1", 0);
  ASSERT_THAT(library_->Begin(header), IsOk());
  ASSERT_THAT(library_->Append(header, 0, "lor"), IsOk());
  harness_.clock().Advance(absl::Hours(23));
  ASSERT_THAT(library_->ExpireUploads(), IsOk());
  EXPECT_THAT(library_->ReceivedBytes(header.name.sha256), IsOkAndHolds(3));

  harness_.clock().Advance(absl::Hours(2));
  ASSERT_THAT(library_->ExpireUploads(), IsOk());

  EXPECT_THAT(library_->ReceivedBytes(header.name.sha256), IsOkAndHolds(0));
}

// A full disk of the store, not of the files.
TEST(LoraLibraryFailureTest, FailedRowLeavesNothingRegisteredAndMayBeRepeated) {
  testing::TemporaryFolder folder;
  testing::FakeClock clock;
  FailingJobStore store;
  const TextTaskReader reader;
  auto coordinator =
      Coordinator::Open(CoordinatorOptions(), clock, store, reader, [] {
      }).value();
  auto blobs = FolderBlobStore::Open(folder / "blobs", clock).value();
  auto library =
      LoraLibrary::Open(*coordinator, *blobs, [](const std::string&) {
        return LoraFacts{"kohya", 1};
      }).value();
  const LoraHeader header{.name = {"ink", Sha256Hex("x")}, .size_bytes = 1};
  ASSERT_THAT(library->Begin(header), IsOk());
  ASSERT_THAT(library->Append(header, 0, "x"), IsOk());

  store.FailCommits(absl::ResourceExhaustedError("disk is full"));
  EXPECT_THAT(library->Finish(header, 1),
              StatusIs(absl::StatusCode::kResourceExhausted));
  store.FailCommits(absl::OkStatus());

  EXPECT_THAT(coordinator->GetLora({"ink", ""}),
              StatusIs(absl::StatusCode::kNotFound));
  ASSERT_THAT(library->Begin(header), IsOkAndHolds(Eq(std::nullopt)));
  ASSERT_THAT(library->Append(header, 0, "x"), IsOk());
  EXPECT_THAT(library->Finish(header, 1), IsOk());
}

}  // namespace
}  // namespace tessera::coordinator
