// Early return on errors, the two macros every module may use.
#ifndef TESSERA_COMMON_STATUS_MACROS_H_
#define TESSERA_COMMON_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expr` from the current function unless it is OK.
//
// Example: RETURN_IF_ERROR(file.Sync());
#define RETURN_IF_ERROR(expr)                                       \
  do {                                                              \
    if (absl::Status tessera_status = (expr); !tessera_status.ok()) \
        [[unlikely]]                                                \
      return tessera_status;                                        \
  } while (false)

#define TESSERA_CONCAT_INNER(a, b) a##b
#define TESSERA_CONCAT(a, b) TESSERA_CONCAT_INNER(a, b)

// Evaluates a StatusOr expression; binds its value to `lhs`, or returns its
// status from the current function.
//
// Example: ASSIGN_OR_RETURN(Tensor weights, reader.Read("conv_in.weight"));
#define ASSIGN_OR_RETURN(lhs, expr)                                            \
  TESSERA_ASSIGN_OR_RETURN_INNER(TESSERA_CONCAT(tessera_status_or_, __LINE__), \
                                 lhs, expr)
#define TESSERA_ASSIGN_OR_RETURN_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                                   \
  if (!tmp.ok()) [[unlikely]]                          \
    return std::move(tmp).status();                    \
  lhs = *std::move(tmp)

#endif  // TESSERA_COMMON_STATUS_MACROS_H_
