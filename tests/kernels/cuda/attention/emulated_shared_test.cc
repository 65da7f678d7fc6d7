#include "tests/kernels/cuda/attention/emulated_shared.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::kernels::cuda {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Four bytes to write, and a place to read them to.
constexpr float kValue = 1.5f;

TEST(EmulatedSharedTest, IsPoisonedUntilWritten) {
  EmulatedShared shared(64, 64);
  float value = 0;

  shared.Read(0, 0, &value, 4);

  EXPECT_TRUE(std::isnan(value));
  EXPECT_THAT(shared.violations(), ElementsAre(HasSubstr("not there yet")));
}

TEST(EmulatedSharedTest, BarrierMakesWritesVisibleToOthers) {
  EmulatedShared shared(64, 64);
  float value = 0;

  shared.Write(0, 4, &kValue, 4);
  shared.Barrier();
  shared.Read(63, 4, &value, 4);

  EXPECT_EQ(value, kValue);
  EXPECT_THAT(shared.violations(), IsEmpty());
}

TEST(EmulatedSharedTest, WarpBarrierServesItsOwnWarpOnly) {
  EmulatedShared shared(64, 64);
  float value = 0;
  shared.Write(0, 4, &kValue, 4);
  shared.WarpBarrier(0);

  shared.Read(31, 4, &value, 4);
  EXPECT_THAT(shared.violations(), IsEmpty());

  shared.Read(32, 4, &value, 4);
  EXPECT_THAT(shared.violations(), ElementsAre(HasSubstr("not there yet")));
}

TEST(EmulatedSharedTest, ReadOfAnotherThreadsWriteNeedsABarrier) {
  EmulatedShared shared(64, 64);
  float value = 0;

  shared.Write(0, 4, &kValue, 4);
  shared.Read(1, 4, &value, 4);

  EXPECT_THAT(shared.violations(), ElementsAre(HasSubstr("not there yet")));
}

TEST(EmulatedSharedTest, WriteUnderAnotherThreadsReadNeedsABarrier) {
  EmulatedShared shared(64, 64);
  float value = 0;
  shared.Write(0, 4, &kValue, 4);
  shared.Barrier();

  shared.Read(40, 4, &value, 4);
  shared.Write(0, 4, &kValue, 4);

  EXPECT_THAT(shared.violations(), ElementsAre(HasSubstr("under a read")));
}

TEST(EmulatedSharedTest, WriteOverAnotherThreadsWriteNeedsABarrier) {
  EmulatedShared shared(64, 64);

  shared.Write(0, 4, &kValue, 4);
  shared.Write(33, 4, &kValue, 4);

  EXPECT_THAT(shared.violations(), ElementsAre(HasSubstr("over a write")));
}

TEST(EmulatedSharedTest, CopyIsThereForItsThreadOnceEnded) {
  EmulatedShared shared(64, 64);
  const float from[4] = {1, 2, 3, 4};
  float value = 0;
  shared.BeginCopy(5, 16);
  shared.EndCopy(5, 16, from);

  shared.Read(5, 20, &value, 4);
  EXPECT_EQ(value, 2);
  EXPECT_THAT(shared.violations(), IsEmpty());

  shared.Read(6, 20, &value, 4);
  EXPECT_THAT(shared.violations(), ElementsAre(HasSubstr("not there yet")));
}

TEST(EmulatedSharedTest, CopyUnderWayIsNeitherReadNorOverwritten) {
  EmulatedShared shared(64, 64);
  float value = 0;
  shared.BeginCopy(5, 16);
  shared.Barrier();

  shared.Read(6, 16, &value, 4);
  shared.Barrier();
  shared.Write(6, 20, &kValue, 4);

  EXPECT_TRUE(std::isnan(value));
  EXPECT_THAT(shared.violations(), ElementsAre(HasSubstr("not there yet"),
                                               HasSubstr("over a write")));
}

TEST(EmulatedSharedTest, AccessOutsideOrMisalignedIsReported) {
  EmulatedShared shared(64, 64);

  shared.Write(0, 64, &kValue, 4);
  shared.Write(0, 2, &kValue, 4);

  EXPECT_THAT(shared.violations(),
              ElementsAre(HasSubstr("outside"), HasSubstr("misaligned")));
}

}  // namespace
}  // namespace tessera::kernels::cuda
