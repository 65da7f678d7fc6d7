#include "client/prompts_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/scratch_folder.h"

namespace tessera::client {
namespace {

using ::testing::HasSubstr;

TEST(PromptsFileTest, ReadsAnyPartAgainAndAgain) {
  const ScratchFolder folder;
  const auto file = PromptsFile::Open(folder.Write("p.jsonl", "0123456789"));
  ASSERT_TRUE(file.ok()) << file.status();

  EXPECT_EQ(file->size(), 10);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(*file->Read(0, 4), "0123");
    EXPECT_EQ(*file->Read(8, 4), "89");
    EXPECT_EQ(*file->Read(10, 4), "");
  }
}

TEST(PromptsFileTest, MissingFileIsNamed) {
  const auto file = PromptsFile::Open("/no/where.jsonl");

  EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(file.status().message()),
              HasSubstr("/no/where.jsonl"));
}

TEST(PromptsFileTest, FolderIsRefused) {
  const ScratchFolder folder;

  const auto file = PromptsFile::Open(folder.path());

  EXPECT_THAT(std::string(file.status().message()), HasSubstr("directory"));
}

TEST(PromptsFileTest, PipeCanBeReadTwice) {
  const ScratchFolder folder;
  const std::string path = folder.File("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const std::string text(300'000, 'x');
  std::thread writer([&] {
    const int pipe = open(path.c_str(), O_WRONLY);
    size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t count = write(pipe, &text[sent], text.size() - sent);
      if (count <= 0) break;
      sent += count;
    }
    close(pipe);
  });

  const auto file = PromptsFile::Open(path);
  writer.join();

  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->size(), 300'000);
  EXPECT_EQ(*file->Read(0, 400'000), text);
  EXPECT_EQ(*file->Read(0, 400'000), text);
}

TEST(PromptsFileTest, LocatesErrorsAboutTheFileOnly) {
  const ScratchFolder folder;
  const std::string path = folder.Write("p.jsonl", "");
  const auto file = PromptsFile::Open(path);
  ASSERT_TRUE(file.ok());

  EXPECT_EQ(
      file->Locate(absl::InvalidArgumentError("line 1: a\nline 2: b\n(and so")),
      absl::InvalidArgumentError(path + ": line 1: a\n" + path +
                                 ": line 2: b\n(and so"));
  EXPECT_EQ(file->Locate(absl::InvalidArgumentError("prompts file is empty")),
            absl::InvalidArgumentError(path + ": prompts file is empty"));
  const absl::Status other =
      absl::FailedPreconditionError("output folder is in use by job j: /out");
  EXPECT_EQ(file->Locate(other), other);
}

TEST(PromptsFileTest, MovesItsDescriptor) {
  const ScratchFolder folder;
  auto first = PromptsFile::Open(folder.Write("p.jsonl", "abc"));
  ASSERT_TRUE(first.ok());

  const PromptsFile second = *std::move(first);

  EXPECT_EQ(*second.Read(0, 9), "abc");
}

}  // namespace
}  // namespace tessera::client
