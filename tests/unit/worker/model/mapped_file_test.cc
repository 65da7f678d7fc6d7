#include "worker/model/mapped_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera::model {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::StatusIs;
using ::tessera::testing::TemporaryFolder;
using ::tessera::testing::WriteText;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Returns how many descriptors this process has open.
int64_t OpenDescriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

// Says whether a line of the process's mappings ends with `path`.
bool IsMapped(const std::string& path) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.ends_with(path)) return true;
  }
  return false;
}

TEST(MappedFileTest, HoldsTheBytes) {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\nc\xff", 6);
  WriteText(folder / "file", bytes);

  const auto file = MappedFile::Open(folder / "file");

  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->bytes(), bytes);
}

TEST(MappedFileTest, HoldsMoreThanAPage) {
  const TemporaryFolder folder;
  std::string bytes(3 * 4096 + 17, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 31 % 251);
  }
  WriteText(folder / "file", bytes);

  const auto file = MappedFile::Open(folder / "file");

  ASSERT_THAT(file, IsOk());
  EXPECT_TRUE(file->bytes() == bytes);
}

TEST(MappedFileTest, EmptyFileHasNoBytes) {
  const TemporaryFolder folder;
  WriteText(folder / "file", "");

  const auto file = MappedFile::Open(folder / "file");

  ASSERT_THAT(file, IsOk());
  EXPECT_THAT(file->bytes(), IsEmpty());
}

TEST(MappedFileTest, FollowsLinks) {
  const TemporaryFolder folder;
  WriteText(folder / "file", "data");
  std::filesystem::create_symlink(folder / "file", folder / "link");

  const auto file = MappedFile::Open(folder / "link");

  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->bytes(), "data");
}

TEST(MappedFileTest, BytesStayWhereTheyAreWhenItMoves) {
  const TemporaryFolder folder;
  WriteText(folder / "file", "data");
  auto file = MappedFile::Open(folder / "file");
  ASSERT_THAT(file, IsOk());
  const char* const data = file->bytes().data();

  MappedFile moved = *std::move(file);

  EXPECT_EQ(moved.bytes().data(), data);
  EXPECT_EQ(moved.bytes(), "data");
  EXPECT_THAT(file->bytes(), IsEmpty());
}

TEST(MappedFileTest, AssignmentTakesTheBytes) {
  const TemporaryFolder folder;
  WriteText(folder / "one", "one");
  WriteText(folder / "two", "second");
  auto one = MappedFile::Open(folder / "one");
  auto two = MappedFile::Open(folder / "two");
  ASSERT_THAT(one, IsOk());
  ASSERT_THAT(two, IsOk());

  *one = *std::move(two);

  EXPECT_EQ(one->bytes(), "second");
}

TEST(MappedFileTest, MappingEndsWithTheObject) {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  WriteText(path, "data");
  {
    auto file = MappedFile::Open(path);
    ASSERT_THAT(file, IsOk());
    const MappedFile moved = *std::move(file);
    EXPECT_TRUE(IsMapped(path));
  }

  EXPECT_FALSE(IsMapped(path));
}

TEST(MappedFileTest, KeepsNoDescriptor) {
  const TemporaryFolder folder;
  WriteText(folder / "file", "data");
  WriteText(folder / "empty", "");
  const int64_t before = OpenDescriptors();

  const auto file = MappedFile::Open(folder / "file");
  const auto empty = MappedFile::Open(folder / "empty");
  const auto none = MappedFile::Open(folder / "none");
  const auto no_file = MappedFile::Open(folder.path());

  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(MappedFileTest, DeletedFileStaysReadable) {
  const TemporaryFolder folder;
  WriteText(folder / "file", "data");
  const auto file = MappedFile::Open(folder / "file");
  ASSERT_THAT(file, IsOk());

  std::filesystem::remove(folder / "file");

  EXPECT_EQ(file->bytes(), "data");
}

TEST(MappedFileTest, MissingFileIsNamed) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink(folder / "none", folder / "dangling");

  for (const char* name : {"none", "dangling", "none/file"}) {
    EXPECT_THAT(
        MappedFile::Open(folder / name),
        StatusIs(absl::StatusCode::kNotFound,
                 HasSubstr(absl::StrCat("cannot open ", folder / name))))
        << name;
  }
}

TEST(MappedFileTest, FileWithoutPermissionIsNamed) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  const TemporaryFolder folder;
  WriteText(folder / "file", "data");
  std::filesystem::permissions(folder / "file", std::filesystem::perms::none);

  EXPECT_THAT(MappedFile::Open(folder / "file"),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr(folder / "file")));
}

TEST(MappedFileTest, FolderIsNoFile) {
  const TemporaryFolder folder;

  EXPECT_THAT(MappedFile::Open(folder.path()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat("not a regular file: ", folder.path())));
}

// Nobody writes to the pipe: to wait for a writer would be to wait forever.
TEST(MappedFileTest, PipeIsNoFileAndIsNotWaitedFor) {
  const TemporaryFolder folder;
  const std::string path = folder / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0) << std::strerror(errno);

  EXPECT_THAT(MappedFile::Open(path),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat("not a regular file: ", path)));
}

TEST(MappedFileTest, DeviceIsNoFile) {
  EXPECT_THAT(MappedFile::Open("/dev/null"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "not a regular file: /dev/null"));
}

}  // namespace
}  // namespace tessera::model
