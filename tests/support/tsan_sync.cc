// Tells the thread sanitizer what Abseil's locks order. The system's Abseil is
// not built with the sanitizer, so that it sees no lock and calls everything
// that one guards a race; these functions stand before the library's (the
// linker's --wrap, cmake/ThreadSanitizer.cmake) and announce each operation.
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace {

// Runs a wait that gives `mutex` up and takes it again. Whatever it evaluates
// meanwhile, conditions of other threads too, runs under the lock unseen.
template <typename Wait>
auto WaitOn(absl::Mutex* mutex, Wait wait) {
  __tsan_mutex_pre_unlock(mutex, 0);
  const auto result = wait();
  __tsan_mutex_post_unlock(mutex, 0);
  __tsan_mutex_pre_lock(mutex, 0);
  __tsan_mutex_post_lock(mutex, 0, 0);
  return result;
}

// The flag that Notification::HasBeenNotified, which is inline, reads.
void* FlagOf(absl::Notification* notification) {
  return reinterpret_cast<char*>(notification) + sizeof(absl::Mutex);
}

}  // namespace

// Declares the library's function and begins the one that stands before it:
// WRAP(result, mangled name)(arguments).
#define WRAP(result, name, ...)      \
  result __real_##name(__VA_ARGS__); \
  result __wrap_##name(__VA_ARGS__)

extern "C" {

WRAP(void, _ZN4absl7debian35MutexD1Ev, absl::Mutex* mutex) {
  __tsan_mutex_destroy(mutex, 0);
  __real__ZN4absl7debian35MutexD1Ev(mutex);
}

WRAP(void, _ZN4absl7debian35Mutex4LockEv, absl::Mutex* mutex) {
  __tsan_mutex_pre_lock(mutex, 0);
  __real__ZN4absl7debian35Mutex4LockEv(mutex);
  __tsan_mutex_post_lock(mutex, 0, 0);
}

WRAP(void, _ZN4absl7debian35Mutex6UnlockEv, absl::Mutex* mutex) {
  __tsan_mutex_pre_unlock(mutex, 0);
  __real__ZN4absl7debian35Mutex6UnlockEv(mutex);
  __tsan_mutex_post_unlock(mutex, 0);
}

WRAP(bool, _ZN4absl7debian35Mutex7TryLockEv, absl::Mutex* mutex) {
  __tsan_mutex_pre_lock(mutex, __tsan_mutex_try_lock);
  const bool locked = __real__ZN4absl7debian35Mutex7TryLockEv(mutex);
  const unsigned failed = locked ? 0 : __tsan_mutex_try_lock_failed;
  __tsan_mutex_post_lock(mutex, __tsan_mutex_try_lock | failed, 0);
  return locked;
}

WRAP(void, _ZN4absl7debian35Mutex10ReaderLockEv, absl::Mutex* mutex) {
  __tsan_mutex_pre_lock(mutex, __tsan_mutex_read_lock);
  __real__ZN4absl7debian35Mutex10ReaderLockEv(mutex);
  __tsan_mutex_post_lock(mutex, __tsan_mutex_read_lock, 0);
}

WRAP(void, _ZN4absl7debian35Mutex12ReaderUnlockEv, absl::Mutex* mutex) {
  __tsan_mutex_pre_unlock(mutex, __tsan_mutex_read_lock);
  __real__ZN4absl7debian35Mutex12ReaderUnlockEv(mutex);
  __tsan_mutex_post_unlock(mutex, __tsan_mutex_read_lock);
}

WRAP(void, _ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE,
     absl::Mutex* mutex, const absl::Condition& condition) {
  __tsan_mutex_pre_lock(mutex, 0);
  __real__ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE(mutex, condition);
  __tsan_mutex_post_lock(mutex, 0, 0);
}

WRAP(void, _ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE, absl::Mutex* mutex,
     const absl::Condition& condition) {
  WaitOn(mutex, [&] {
    __real__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(mutex, condition);
    return true;
  });
}

WRAP(bool,
     _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE,
     absl::Mutex* mutex, const absl::Condition& condition,
     absl::Duration timeout) {
  return WaitOn(mutex, [&] {
    return __real__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(
        mutex, condition, timeout);
  });
}

WRAP(bool,
     _ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE,
     absl::Mutex* mutex, const absl::Condition& condition,
     absl::Time deadline) {
  return WaitOn(mutex, [&] {
    return __real__ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE(
        mutex, condition, deadline);
  });
}

WRAP(void, _ZN4absl7debian37CondVar4WaitEPNS0_5MutexE, absl::CondVar* changed,
     absl::Mutex* mutex) {
  WaitOn(mutex, [&] {
    __real__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(changed, mutex);
    return true;
  });
}

WRAP(bool, _ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE,
     absl::CondVar* changed, absl::Mutex* mutex, absl::Duration timeout) {
  return WaitOn(mutex, [&] {
    return __real__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(
        changed, mutex, timeout);
  });
}

WRAP(bool, _ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE,
     absl::CondVar* changed, absl::Mutex* mutex, absl::Time deadline) {
  return WaitOn(mutex, [&] {
    return __real__ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE(
        changed, mutex, deadline);
  });
}

WRAP(void, _ZN4absl7debian312Notification6NotifyEv,
     absl::Notification* notification) {
  __tsan_release(FlagOf(notification));
  __real__ZN4absl7debian312Notification6NotifyEv(notification);
}

WRAP(void, _ZNK4absl7debian312Notification19WaitForNotificationEv,
     absl::Notification* notification) {
  __real__ZNK4absl7debian312Notification19WaitForNotificationEv(notification);
  __tsan_acquire(FlagOf(notification));
}

WRAP(
    bool,
    _ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE,
    absl::Notification* notification, absl::Duration timeout) {
  const bool notified =
      __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(
          notification, timeout);
  if (notified) __tsan_acquire(FlagOf(notification));
  return notified;
}

}  // extern "C"
