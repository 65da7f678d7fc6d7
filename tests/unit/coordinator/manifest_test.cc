// What the seal leaves in the output folder.
#include "coordinator/manifest.h"

#include <filesystem>
#include <string>
#include <vector>

#include "common/sha256.h"
#include "common/storage/folder_output_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/coordinator_harness.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::ReadText;
using ::tessera::testing::WriteText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class ManifestTest : public ::testing::Test {
 protected:
  std::string Out(const std::string& name) const {
    return harness_.folder() / ("out1/" + name);
  }

  // The values of `key` in a file of JSON lines.
  std::vector<nlohmann::json> Column(const std::string& name,
                                     const std::string& key) const {
    std::vector<nlohmann::json> values;
    std::istringstream lines(ReadText(Out(name)));
    for (std::string line; std::getline(lines, line);) {
      values.push_back(nlohmann::json::parse(line)[key]);
    }
    return values;
  }

  CoordinatorHarness harness_;
};

// Even and odd lines stand in shards of their own, as groups of unlike sizes
// would; a third group comes late.
TEST_F(ManifestTest, LinesComeInInputOrderFromOverlappingShards) {
  const JobId id = harness_.Submit({MakeDraft(0, 3, 2), MakeDraft(1, 3, 2),
                                    MakeDraft(7, 2, 2), MakeDraft(6, 2, 2)});
  for (int i = 0; i < 4; ++i) {
    ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());
  }

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));

  EXPECT_THAT(Column("manifest.jsonl", "custom_id"),
              ElementsAre("id0", "id1", "id2", "id3", "id4", "id5", "id6",
                          "id7", "id8", "id9"));
  EXPECT_EQ(Column("manifest.jsonl", "sha256")[0], Sha256Hex("id0"));
  EXPECT_THAT(Column("manifest.jsonl", "path")[1], "images/000001/0.png");
  EXPECT_EQ(ReadText(Out("errors.jsonl")), "");
  const Job job = harness_.Get(id);
  EXPECT_EQ(job.state, JobState::kSucceeded);
  EXPECT_EQ(job.end_time, harness_.clock().Now());
  EXPECT_FALSE(std::filesystem::exists(Out(".tessera-tmp")));
}

TEST_F(ManifestTest, PartlyFailedJobListsErrorsAndNamesEveryFile) {
  harness_.Submit({MakeDraft(0, 3, 1)});
  const Assignment assignment = harness_.Take("ann");
  for (const char* file : {"0.png", "1.png", "2.png"}) {
    WriteText(Out(std::string("images/000000/") + file), "x");
  }
  WriteText(Out(".tessera-tmp/ann/half.png"), "x");
  ASSERT_THAT(harness_.Commit("ann", assignment.lease,
                              {MakeFailure(1, "INTERNAL")}, true),
              IsOk());
  ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));

  EXPECT_THAT(Column("manifest.jsonl", "custom_id"), ElementsAre("id0", "id2"));
  EXPECT_THAT(Column("errors.jsonl", "custom_id"), ElementsAre("id1"));
  EXPECT_THAT(Column("errors.jsonl", "line"), ElementsAre(1));
  EXPECT_THAT(Column("errors.jsonl", "code"), ElementsAre("INTERNAL"));
  EXPECT_THAT(Column("errors.jsonl", "reason"), ElementsAre("a reason"));
  EXPECT_TRUE(std::filesystem::exists(Out("images/000000/0.png")));
  EXPECT_FALSE(std::filesystem::exists(Out("images/000000/1.png")));
  EXPECT_FALSE(std::filesystem::exists(Out(".tessera-tmp")));
}

TEST_F(ManifestTest, FilesOfTheUserBesideThePicturesStay) {
  harness_.Submit({MakeDraft(0, 1, 1)});
  ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());
  WriteText(Out(".tmp/notes.txt"), "the user's");

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));

  EXPECT_EQ(ReadText(Out(".tmp/notes.txt")), "the user's");
}

TEST_F(ManifestTest, CancelledJobKeepsWhatWasCommittedOnly) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1), MakeDraft(2, 2, 1)});
  const Assignment assignment = harness_.Take("ann");
  WriteText(Out("images/000000/0.png"), "x");
  WriteText(Out("images/000000/1.png"), "not committed");
  WriteText(Out("images/000001/0.png"), "not committed");
  ASSERT_THAT(harness_.Commit("ann", assignment.lease,
                              {MakePicture({id, 0}, 0, "ann", "x")}, false),
              IsOk());
  ASSERT_THAT(harness_.coordinator().CancelJob(id), IsOk());
  harness_.Idle("ann");

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));

  EXPECT_THAT(Column("manifest.jsonl", "custom_id"), ElementsAre("id0"));
  EXPECT_TRUE(std::filesystem::exists(Out("images/000000/0.png")));
  EXPECT_FALSE(std::filesystem::exists(Out("images/000000/1.png")));
  EXPECT_FALSE(std::filesystem::exists(Out("images/000001")));
  const auto summary = nlohmann::json::parse(ReadText(Out("job.json")));
  EXPECT_EQ(summary["state"], "CANCELLED");
  EXPECT_EQ(summary["images"]["cancelled"], 3);
}

TEST_F(ManifestTest, SummaryTellsWhatWasAsked) {
  JobHeader header = harness_.Header("out1");
  header.request_json = R"({"defaults": {"sampler": "euler"}})";
  const JobId id = harness_.Submit(header, {MakeDraft(0, 1, 1)});
  ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());
  ASSERT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));

  const auto summary = nlohmann::json::parse(ReadText(Out("job.json")));

  EXPECT_EQ(summary["job_id"], id.value());
  EXPECT_EQ(summary["model"], "emoji");
  EXPECT_EQ(summary["request"]["defaults"]["sampler"], "euler");
  EXPECT_EQ(summary["images"]["done"], 1);
}

TEST_F(ManifestTest, SealingAgainWritesTheSameBytes) {
  const JobId id = harness_.Submit({MakeDraft(0, 3, 1)});
  ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());
  const Job job = harness_.Get(id);
  const TextTaskReader reader;
  const absl::Time end = harness_.clock().Now();
  storage::FolderOutputStore out(job.header.output_uri, "coordinator");
  ASSERT_THAT(SealJob(harness_.store(), reader, job, end, out), IsOk());
  const std::string manifest = ReadText(Out("manifest.jsonl"));
  const std::string summary = ReadText(Out("job.json"));

  ASSERT_THAT(SealJob(harness_.store(), reader, job, end, out), IsOk());

  EXPECT_EQ(ReadText(Out("manifest.jsonl")), manifest);
  EXPECT_EQ(ReadText(Out("job.json")), summary);
}

TEST_F(ManifestTest, SealThatFailsIsTriedAgainWithAGrowingDelay) {
  const JobId id = harness_.Submit({MakeDraft(0, 1, 1)});
  ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());
  std::filesystem::remove_all(harness_.folder() / "out1");
  WriteText(harness_.folder() / "out1", "a file is in the way");

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(0));
  EXPECT_EQ(harness_.Get(id).state, JobState::kSealing);
  EXPECT_THAT(harness_.Get(id).message, HasSubstr("cannot be written"));

  std::filesystem::remove(harness_.folder() / "out1");
  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(0));  // not yet
  harness_.clock().Advance(absl::Seconds(1));
  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));
  EXPECT_EQ(harness_.Get(id).message, "");
}

TEST_F(ManifestTest, JobThatWasSealingGoesOnAfterARestart) {
  const JobId id = harness_.Submit({MakeDraft(0, 1, 1)});
  ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());
  WriteText(Out(".tessera-tmp/manifest.jsonl"), "half a mani");

  harness_.Restart();

  EXPECT_THAT(harness_.coordinator().SealDue(), IsOkAndHolds(1));
  EXPECT_EQ(harness_.Get(id).state, JobState::kSucceeded);
  EXPECT_THAT(Column("manifest.jsonl", "custom_id"), ElementsAre("id0"));
}

TEST_F(ManifestTest, FinishedPicturesAreListedShardByShard) {
  const JobId id = harness_.Submit({MakeDraft(0, 2, 1), MakeDraft(2, 2, 1)});
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(harness_.Finish("ann", harness_.Take("ann")), IsOk());
  }

  const auto first = harness_.coordinator().ListImages(id, 0, 1);
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(first->images, SizeIs(2));
  EXPECT_EQ(first->next_shard, 1);
  const auto second = harness_.coordinator().ListImages(id, 1, 1);
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(second->images, SizeIs(2));
  EXPECT_EQ(second->next_shard, 0);
}

}  // namespace
}  // namespace tessera::coordinator
