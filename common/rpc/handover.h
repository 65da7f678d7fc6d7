// Tells the thread sanitizer what gRPC orders.
//
// gRPC's callbacks of one call come one after the other, each seeing what was
// done before the operation that it answers. The system's gRPC is not built
// with the sanitizer, so that this order has to be announced. Without the
// sanitizer both functions are nothing.
#ifndef TESSERA_COMMON_RPC_HANDOVER_H_
#define TESSERA_COMMON_RPC_HANDOVER_H_

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TESSERA_THREAD_SANITIZER 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define TESSERA_THREAD_SANITIZER 1
#endif

#ifdef TESSERA_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

namespace tessera::rpc {

// Call just before an operation is started on the reactor `call`, or it is
// finished: from then on another thread may use it.
inline void HandOver([[maybe_unused]] void* call) {
#ifdef TESSERA_THREAD_SANITIZER
  __tsan_release(call);
#endif
}

// Call first in the callback that answers the operation.
inline void TakeOver([[maybe_unused]] void* call) {
#ifdef TESSERA_THREAD_SANITIZER
  __tsan_acquire(call);
#endif
}

}  // namespace tessera::rpc

#endif  // TESSERA_COMMON_RPC_HANDOVER_H_
