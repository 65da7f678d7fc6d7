#include "common/check.h"

#include <cstdio>
#include <cstdlib>

namespace tessera {

void CheckFailed(const char* expression, const char* file, int line) {
  // Without Log, whose formatting allocates: memory may be what is broken. The
  // line is for whoever reads the core dump beside it.
  std::fprintf(stderr, "CHECK failed: %s at %s:%d\n", expression, file, line);
  // Aborts instead of exiting: destructors would run on a state that is wrong.
  std::abort();
}

}  // namespace tessera
