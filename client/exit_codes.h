// What the client's exit code tells a script.
#ifndef TESSERA_CLIENT_EXIT_CODES_H_
#define TESSERA_CLIENT_EXIT_CODES_H_

#include "absl/status/status.h"
#include "tessera/v1/job.pb.h"

namespace tessera::client {

enum ExitCode : int {
  kExitDone = 0,           // everything asked for is there
  kExitIncomplete = 1,     // finished with failed items, or failed
  kExitBadInput = 2,       // wrong usage or input; nothing was created
  kExitUnreachable = 3,    // the service cannot be reached
  kExitInterrupted = 130,  // ended by Ctrl-C or SIGTERM
};

// Returns the code for a call that ended with `status`: refusals are
// kExitBadInput, a service that is away or overloaded is kExitUnreachable,
// everything else is kExitIncomplete.
ExitCode ExitCodeFor(const absl::Status& status);

// Returns the code for a job in a terminal state.
ExitCode ExitCodeFor(const v1::Job& job);

// Returns whether `state` never changes again.
bool IsTerminal(v1::JobState state);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_EXIT_CODES_H_
