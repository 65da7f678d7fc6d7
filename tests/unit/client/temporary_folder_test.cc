#include "client/temporary_folder.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "gtest/gtest.h"

namespace tessera::client {
namespace {

namespace fs = std::filesystem;

TEST(TemporaryFolderTest, DisappearsWithWhatItHolds) {
  std::string path;
  {
    const auto folder = TemporaryFolder::Create();
    ASSERT_TRUE(folder.ok()) << folder.status();
    path = folder->path();
    std::ofstream(folder->File("a")) << "x";
    EXPECT_TRUE(fs::exists(path));
  }

  EXPECT_FALSE(fs::exists(path));
}

TEST(TemporaryFolderTest, OnlyItsUserMayEnter) {
  const auto folder = TemporaryFolder::Create();
  struct stat facts {};

  ASSERT_EQ(stat(folder->path().c_str(), &facts), 0);

  EXPECT_EQ(facts.st_mode & 0777, 0700u);
}

TEST(TemporaryFolderTest, LogsCanBeKept) {
  std::string path;
  {
    auto folder = TemporaryFolder::Create();
    ASSERT_TRUE(folder.ok());
    path = folder->path();
    std::ofstream(folder->File("worker-0.log")) << "x";
    std::ofstream(folder->File("store.db")) << "x";
    folder->KeepLogs();
  }

  EXPECT_TRUE(fs::exists(path + "/worker-0.log"));
  EXPECT_FALSE(fs::exists(path + "/store.db"));
  fs::remove_all(path);
}

TEST(TemporaryFolderTest, PlaceThatIsMissingIsNamed) {
  setenv("TMPDIR", "/no/such/place", 1);
  const auto folder = TemporaryFolder::Create();
  unsetenv("TMPDIR");

  EXPECT_FALSE(folder.ok());
  EXPECT_NE(std::string(folder.status().message()).find("/no/such/place"),
            std::string::npos);
}

}  // namespace
}  // namespace tessera::client
