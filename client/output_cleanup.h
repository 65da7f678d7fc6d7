// What a local job leaves in its output folder when it is over.
#ifndef TESSERA_CLIENT_OUTPUT_CLEANUP_H_
#define TESSERA_CLIENT_OUTPUT_CLEANUP_H_

#include <string>

namespace tessera::client {

// What of an output folder was there before a job, and so is not its own.
struct OutputBefore {
  bool folder = false;
  bool temporary = false;  // its .tessera-tmp, of another running job
};

// Looks at the folder `out`; call before anything is created.
OutputBefore LookAtOutput(const std::string& out);

// Removes what only a running job needs: .tessera-tmp, and after a job that did
// not come about also the folder, if it is empty. What `before` names is left
// alone. Call when nobody writes there any more.
void CleanOutput(const std::string& out, const OutputBefore& before,
                 bool refused);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_OUTPUT_CLEANUP_H_
