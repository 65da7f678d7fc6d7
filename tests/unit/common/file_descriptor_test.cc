#include "common/file_descriptor.h"

#include <fcntl.h>

#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"

namespace tessera {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

class FileDescriptorTest : public ::testing::Test {
 protected:
  testing::TemporaryFolder folder_;
  const std::string path_ = folder_ / "file";
};

TEST_F(FileDescriptorTest, WritesAndReadsAtOffsets) {
  const auto file = FileDescriptor::Open(path_, O_RDWR | O_CREAT);
  ASSERT_THAT(file, IsOk());

  ASSERT_THAT(file->Write(0, "0123456789"), IsOk());
  ASSERT_THAT(file->Write(4, "xy"), IsOk());

  EXPECT_THAT(file->Sync(), IsOk());
  EXPECT_THAT(file->Size(), IsOkAndHolds(10));
  EXPECT_THAT(file->Read(3, 4), IsOkAndHolds("3xy6"));
  EXPECT_THAT(file->Read(8, 100), IsOkAndHolds("89"));
  EXPECT_THAT(file->Read(10, 100), IsOkAndHolds(""));
}

TEST_F(FileDescriptorTest, MissingFileIsNotFound) {
  EXPECT_THAT(FileDescriptor::Open(path_, O_RDONLY),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(path_)));
}

TEST_F(FileDescriptorTest, FailingCallsNameTheFile) {
  testing::WriteText(path_, "text");
  const auto reading = FileDescriptor::Open(path_, O_RDONLY);
  ASSERT_THAT(reading, IsOk());
  EXPECT_FALSE(reading->Write(0, "x").ok());
  const auto folder = FileDescriptor::Open(folder_.path(), O_RDONLY);
  ASSERT_THAT(folder, IsOk());

  const auto bytes = folder->Read(0, 10);

  EXPECT_THAT(std::string(bytes.status().message()),
              HasSubstr("cannot read file: " + folder_.path()));
}

TEST_F(FileDescriptorTest, AFullDeviceIsResourceExhausted) {
  const auto full = FileDescriptor::Open("/dev/full", O_WRONLY);
  ASSERT_THAT(full, IsOk());

  EXPECT_THAT(full->Write(0, "x"),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(FileDescriptorTest, TheNewOwnerCloses) {
  auto first = FileDescriptor::Open(path_, O_RDWR | O_CREAT);
  ASSERT_THAT(first, IsOk());
  const int descriptor = first->get();
  {
    const FileDescriptor second = std::move(*first);
    EXPECT_EQ(second.get(), descriptor);
    EXPECT_EQ(first->get(), -1);
  }

  EXPECT_EQ(fcntl(descriptor, F_GETFD), -1);
}

}  // namespace
}  // namespace tessera
