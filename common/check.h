// CHECK for broken invariants of our own code.
//
// A failed CHECK is a bug and ends the process. No CHECK may be reachable from
// outside input: requests, files and peers are answered with absl::Status.
#ifndef TESSERA_COMMON_CHECK_H_
#define TESSERA_COMMON_CHECK_H_

namespace tessera {

// Prints `expression` and its place to standard error and aborts.
[[noreturn]] void CheckFailed(const char* expression, const char* file,
                              int line);

}  // namespace tessera

#define CHECK(condition) \
  ((condition) ? (void)0 \
               : ::tessera::CheckFailed(#condition, __FILE__, __LINE__))

#endif  // TESSERA_COMMON_CHECK_H_
