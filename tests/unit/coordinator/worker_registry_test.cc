#include "coordinator/worker_registry.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

class WorkerRegistryTest : public ::testing::Test {
 protected:
  static SynchronizeRequest Call(const std::string& worker, uint64_t sequence) {
    return {.worker = WorkerId(worker),
            .sequence = sequence,
            .info = {.models = {"emoji"}}};
  }

  const absl::Time start_ = absl::FromUnixSeconds(1000);
  WorkerRegistry registry_{absl::Seconds(10), absl::Hours(1)};
};

TEST_F(WorkerRegistryTest, OlderCallIsIgnoredAndARepeatIsNot) {
  EXPECT_TRUE(registry_.Record(Call("ann", 5), start_));
  EXPECT_TRUE(registry_.Record(Call("ann", 5), start_));
  EXPECT_FALSE(registry_.Record(Call("ann", 4), start_));
  EXPECT_TRUE(registry_.Record(Call("bob", 1), start_));
}

TEST_F(WorkerRegistryTest, StateFollowsTheCall) {
  SynchronizeRequest call = Call("ann", 1);
  call.executing = Lease{{JobId("job"), 3}, 1};
  registry_.Record(call, start_);
  EXPECT_THAT(registry_.List(start_),
              ElementsAre(Field(&Worker::state, WorkerState::kExecuting)));

  call.draining = true;
  registry_.Record(call, start_);
  EXPECT_THAT(registry_.List(start_),
              ElementsAre(Field(&Worker::state, WorkerState::kDraining)));

  registry_.Record(Call("ann", 2), start_);
  EXPECT_THAT(registry_.List(start_),
              ElementsAre(Field(&Worker::state, WorkerState::kIdle)));
}

TEST_F(WorkerRegistryTest, SilentWorkerIsLostAndThenForgotten) {
  registry_.Record(Call("ann", 1), start_);
  registry_.AddImages(WorkerId("ann"), 2);
  EXPECT_TRUE(registry_.AnyHasModel("emoji", start_));
  EXPECT_FALSE(registry_.AnyHasModel("other", start_));

  const absl::Time later = start_ + absl::Seconds(10);
  EXPECT_THAT(registry_.List(later),
              ElementsAre(Field(&Worker::state, WorkerState::kLost)));
  EXPECT_FALSE(registry_.AnyHasModel("emoji", later));
  EXPECT_EQ(registry_.CountLive(later), 0);

  registry_.Forget(start_ + absl::Hours(1));
  EXPECT_THAT(registry_.List(later), IsEmpty());
}

}  // namespace
}  // namespace tessera::coordinator
