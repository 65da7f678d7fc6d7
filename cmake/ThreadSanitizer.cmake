# Shows the thread sanitizer the locks of the system's Abseil, which is not
# built with it: every call goes through tests/support/tsan_sync.cc, which
# announces it. The names are those of Debian 12; on another system they match
# nothing, and whatever a lock guards is reported as a race.
add_library(tessera_tsan_sync STATIC ${PROJECT_SOURCE_DIR}/tests/support/tsan_sync.cc)
target_link_libraries(tessera_tsan_sync PUBLIC absl::synchronization)
foreach(name IN ITEMS
    _ZN4absl7debian35MutexD1Ev
    _ZN4absl7debian35Mutex4LockEv
    _ZN4absl7debian35Mutex6UnlockEv
    _ZN4absl7debian35Mutex7TryLockEv
    _ZN4absl7debian35Mutex10ReaderLockEv
    _ZN4absl7debian35Mutex12ReaderUnlockEv
    _ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE
    _ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE
    _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE
    _ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE
    _ZN4absl7debian37CondVar4WaitEPNS0_5MutexE
    _ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE
    _ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE
    _ZN4absl7debian312Notification6NotifyEv
    _ZNK4absl7debian312Notification19WaitForNotificationEv
    _ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE)
  target_link_options(tessera_tsan_sync INTERFACE LINKER:--wrap=${name})
endforeach()
target_link_libraries(tessera_options INTERFACE tessera_tsan_sync)
