#include "kernels/cuda/shared_library.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

using testing::HasSubstr;

TEST(SharedLibraryTest, FindsFunctionsOfALibraryThatIsThere) {
  const absl::StatusOr<SharedLibrary> library =
      SharedLibrary::Open("libm.so.6");
  ASSERT_TRUE(library.ok()) << library.status();
  double (*cosine)(double) = nullptr;

  ASSERT_TRUE(library->Find("cos", cosine).ok());

  EXPECT_EQ(cosine(0), 1);
}

TEST(SharedLibraryTest, NamesTheLibraryThatIsMissing) {
  const absl::Status status = SharedLibrary::Open("libmissing.so.7").status();

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("libmissing.so.7"));
}

TEST(SharedLibraryTest, NamesTheFunctionThatAnotherVersionLacks) {
  const absl::StatusOr<SharedLibrary> library =
      SharedLibrary::Open("libm.so.6");
  ASSERT_TRUE(library.ok()) << library.status();
  void (*missing)() = nullptr;

  const absl::Status status = library->Find("no_such_function", missing);

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no_such_function"));
  EXPECT_EQ(missing, nullptr);
}

}  // namespace
}  // namespace tessera::kernels::cuda
