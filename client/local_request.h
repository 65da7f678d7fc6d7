// What `tessera local` was asked for, checked before anything is started.
#ifndef TESSERA_CLIENT_LOCAL_REQUEST_H_
#define TESSERA_CLIENT_LOCAL_REQUEST_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/arguments.h"
#include "client/output_cleanup.h"
#include "client/prompts_file.h"
#include "tessera/v1/generation_service.pb.h"

namespace tessera::client {

struct LocalRequest {
  PromptsFile prompts;
  v1::JobHeader header;            // complete
  std::string model_folder;        // absolute
  std::string out;                 // absolute
  OutputBefore out_before;         // what of `out` is not ours
  int workers = 2;                 // 1 to 64
  int threads = 1;                 // a worker, 1 to 1024
  std::vector<std::string> loras;  // NAME=FILE, files absolute
  bool keep_logs = false;
};

// Returns the flags of `tessera local`.
std::vector<FlagSpec> LocalFlags();

// Reads and checks a command line: the prompts can be opened, the model folder
// and LoRA files are there, the output folder can be written and holds no
// finished job. `cores` is how many processors the workers share. Errors:
// INVALID_ARGUMENT that names the flag, file or folder.
absl::StatusOr<LocalRequest> MakeLocalRequest(const Arguments& arguments,
                                              int cores);

// Returns OK when a job may write into `folder`, which need not exist.
// Errors: INVALID_ARGUMENT that names the folder.
absl::Status CheckOutputFolder(const std::string& folder);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_LOCAL_REQUEST_H_
