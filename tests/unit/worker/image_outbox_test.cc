#include "worker/image_outbox.h"

#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tessera::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A writer whose pictures end when the test says so.
class Gate {
 public:
  // Lets `count` more pictures end.
  void Open(int count) {
    absl::MutexLock lock(&mutex_);
    open_ += count;
  }

  absl::StatusOr<WrittenImage> Write(int task, const model::Image& image) {
    absl::MutexLock lock(&mutex_);
    begun_.push_back(task);
    mutex_.Await(absl::Condition(
        +[](int* open) { return *open > 0; }, &open_));
    --open_;
    if (image.width == 0) return absl::ResourceExhaustedError("disk full");
    return WrittenImage();
  }

  ImageOutbox::Write AsFunction() {
    return [this](int task, const model::Image& image) {
      return Write(task, image);
    };
  }

  // Waits until the writing of `count` pictures has begun.
  std::vector<int> Begun(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&] { return begun_.size() >= count; };
    mutex_.Await(absl::Condition(&enough));
    return begun_;
  }

 private:
  absl::Mutex mutex_;
  int open_ = 0;
  std::vector<int> begun_;
};

// Returns a picture by whose width the gate tells good from bad.
model::Image Picture(bool good) {
  return {.width = good ? 1 : 0, .height = 1, .rgb = {}};
}

std::vector<int> Tasks(const std::vector<ImageOutbox::Result>& results) {
  std::vector<int> tasks;
  for (const auto& result : results) tasks.push_back(result.task);
  return tasks;
}

TEST(ImageOutboxTest, ASlowWriterDoesNotDelayThoseWithinTheBound) {
  Gate gate;
  ImageOutbox outbox(gate.AsFunction(), 3);

  // Would wait here for ever, for nothing is written.
  outbox.Put(7, Picture(true), 0.5);
  outbox.Put(3, Picture(true), 0.25);
  outbox.Put(5, Picture(true), 0);
  EXPECT_THAT(gate.Begun(1), ElementsAre(7));
  EXPECT_THAT(outbox.Take(), IsEmpty());

  gate.Open(3);
  const auto results = outbox.TakeAll();
  EXPECT_THAT(Tasks(results), ElementsAre(7, 3, 5));
  EXPECT_EQ(results[0].seconds, 0.5);
  EXPECT_EQ(results[1].seconds, 0.25);
  EXPECT_TRUE(results[2].written.ok());
  EXPECT_THAT(outbox.TakeAll(), IsEmpty());
}

TEST(ImageOutboxTest, OneBeyondTheBoundWaitsForRoom) {
  Gate gate;
  ImageOutbox outbox(gate.AsFunction(), 2);
  outbox.Put(0, Picture(true), 0);
  outbox.Put(1, Picture(true), 0);
  absl::Notification put;
  std::thread third([&] {
    outbox.Put(2, Picture(true), 0);
    put.Notify();
  });
  // Holds at most two, so the third is not in while none has ended.
  EXPECT_THAT(gate.Begun(1), ElementsAre(0));
  EXPECT_FALSE(put.HasBeenNotified());

  gate.Open(1);
  put.WaitForNotification();
  EXPECT_THAT(Tasks(outbox.Take()), ElementsAre(0));
  gate.Open(2);
  third.join();
  EXPECT_THAT(Tasks(outbox.TakeAll()), ElementsAre(1, 2));
}

TEST(ImageOutboxTest, AFailureIsAResultAndDelaysNoOther) {
  Gate gate;
  gate.Open(3);
  ImageOutbox outbox(gate.AsFunction(), 1);
  outbox.Put(0, Picture(true), 0);
  outbox.Put(1, Picture(false), 0);
  outbox.Put(2, Picture(true), 0);

  const auto results = outbox.TakeAll();
  ASSERT_THAT(Tasks(results), ElementsAre(0, 1, 2));
  EXPECT_TRUE(results[0].written.ok());
  EXPECT_TRUE(absl::IsResourceExhausted(results[1].written.status()));
  EXPECT_TRUE(results[2].written.ok());
}

TEST(ImageOutboxTest, DroppedPicturesAreNotWritten) {
  Gate gate;
  ImageOutbox outbox(gate.AsFunction(), 3);
  for (const int task : {0, 1, 2}) outbox.Put(task, Picture(true), 0);
  EXPECT_THAT(gate.Begun(1), ElementsAre(0));

  outbox.Drop();
  gate.Open(1);

  EXPECT_THAT(Tasks(outbox.TakeAll()), ElementsAre(0));
  EXPECT_THAT(gate.Begun(1), ElementsAre(0));
}

}  // namespace
}  // namespace tessera::worker
