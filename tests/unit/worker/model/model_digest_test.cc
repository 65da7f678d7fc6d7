#include "worker/model/model_digest.h"

#include <filesystem>
#include <set>
#include <string>

#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera::model {
namespace {

using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::tessera::testing::TemporaryFolder;
using ::tessera::testing::WriteText;
using ::testing::HasSubstr;

// A model folder with a file in each of its five folders.
class ModelDigestTest : public ::testing::Test {
 protected:
  ModelDigestTest() {
    WriteText(folder_ / "scheduler/scheduler_config.json", "s");
    WriteText(folder_ / "text_encoder/model.safetensors", "e");
    WriteText(folder_ / "tokenizer/merges.txt", "t");
    WriteText(folder_ / "unet/config.json", "u");
    WriteText(folder_ / "vae/config.json", "v");
  }

  std::string Digest() const {
    const auto digest = ModelDigest(folder_.path());
    EXPECT_THAT(digest, testing::IsOk());
    return digest.value_or("");
  }

  const TemporaryFolder folder_;
};

// A line for each file, by path: the path, a blank, its digest, a newline.
TEST_F(ModelDigestTest, IsTheDigestOfPathsAndContents) {
  const std::string lines =
      "scheduler/scheduler_config.json " + Sha256Hex("s") +
      "\ntext_encoder/model.safetensors " + Sha256Hex("e") +
      "\ntokenizer/merges.txt " + Sha256Hex("t") + "\nunet/config.json " +
      Sha256Hex("u") + "\nvae/config.json " + Sha256Hex("v") + "\n";

  EXPECT_THAT(ModelDigest(folder_.path()), IsOkAndHolds(Sha256Hex(lines)));
}

TEST_F(ModelDigestTest, DoesNotDependOnThePlace) {
  const TemporaryFolder other;
  std::filesystem::copy(folder_.path(), other / "moved",
                        std::filesystem::copy_options::recursive);

  EXPECT_THAT(ModelDigest(other / "moved"), IsOkAndHolds(Digest()));
}

TEST_F(ModelDigestTest, EveryChangeOfWhatIsReadCounts) {
  std::set<std::string> digests = {Digest()};

  WriteText(folder_ / "unet/config.json", "U");
  digests.insert(Digest());
  WriteText(folder_ / "unet/config.json", "");
  digests.insert(Digest());
  WriteText(folder_ / "unet/diffusion_pytorch_model.safetensors", "");
  digests.insert(Digest());
  std::filesystem::rename(folder_ / "tokenizer/merges.txt",
                          folder_ / "tokenizer/other.txt");
  digests.insert(Digest());
  std::filesystem::rename(folder_ / "tokenizer/other.txt",
                          folder_ / "vae/other.txt");
  digests.insert(Digest());
  std::filesystem::remove(folder_ / "vae/other.txt");
  digests.insert(Digest());

  EXPECT_EQ(digests.size(), 7u);
}

TEST_F(ModelDigestTest, FilesThatNobodyReadsDoNotCount) {
  const std::string before = Digest();

  WriteText(folder_ / "model_index.json", "{}");
  WriteText(folder_ / "README.md", "text");
  WriteText(folder_ / "unet/diffusion_pytorch_model.bin", "pickled");
  WriteText(folder_ / "unet/notes", "text");
  WriteText(folder_ / "safety_checker/config.json", "{}");

  EXPECT_EQ(Digest(), before);
}

TEST_F(ModelDigestTest, ReadsFilesOfMoreThanAChunk) {
  std::string large((1 << 20) + 1, 'a');
  WriteText(folder_ / "unet/model.safetensors", large);
  const std::string before = Digest();
  std::filesystem::remove_all(folder_ / "scheduler");
  std::filesystem::remove_all(folder_ / "text_encoder");
  std::filesystem::remove_all(folder_ / "tokenizer");
  std::filesystem::remove_all(folder_ / "vae");
  for (const char* name : {"scheduler", "text_encoder", "tokenizer", "vae"}) {
    std::filesystem::create_directory(folder_ / name);
  }
  std::filesystem::remove(folder_ / "unet/config.json");

  EXPECT_NE(Digest(), before);
  EXPECT_EQ(Digest(),
            Sha256Hex("unet/model.safetensors " + Sha256Hex(large) + "\n"));
  // The last byte of the second chunk.
  large.back() = 'b';
  WriteText(folder_ / "unet/model.safetensors", large);
  EXPECT_EQ(Digest(),
            Sha256Hex("unet/model.safetensors " + Sha256Hex(large) + "\n"));
}

TEST_F(ModelDigestTest, MissingFolderIsNamed) {
  for (const char* name :
       {"vae", "unet", "tokenizer", "text_encoder", "scheduler"}) {
    std::filesystem::remove_all(folder_ / name);

    EXPECT_THAT(ModelDigest(folder_.path()),
                StatusIs(absl::StatusCode::kNotFound,
                         "no folder: " + (folder_ / name)));
  }
  EXPECT_THAT(ModelDigest(folder_ / "none"),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr(folder_ / "none/scheduler")));
}

TEST_F(ModelDigestTest, FileThatCannotBeReadIsNamed) {
  std::filesystem::create_symlink(folder_ / "none", folder_ / "vae/x.json");
  EXPECT_THAT(ModelDigest(folder_.path()),
              StatusIs(absl::StatusCode::kNotFound,
                       "cannot open: " + (folder_ / "vae/x.json")));

  std::filesystem::remove(folder_ / "vae/x.json");
  std::filesystem::create_directory(folder_ / "vae/x.json");
  EXPECT_THAT(ModelDigest(folder_.path()),
              StatusIs(absl::StatusCode::kInternal,
                       "cannot read: " + (folder_ / "vae/x.json")));
}

}  // namespace
}  // namespace tessera::model
