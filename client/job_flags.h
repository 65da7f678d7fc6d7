// The flags that describe a job, shared by `submit` and `local`.
#ifndef TESSERA_CLIENT_JOB_FLAGS_H_
#define TESSERA_CLIENT_JOB_FLAGS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/arguments.h"
#include "tessera/v1/generation_service.pb.h"

namespace tessera::client {

// Returns the flags: out, steps, guidance, size, sampler, negative-prompt,
// seed, shard-size, max-failed, allow-unmatched; followed by `more`.
std::vector<FlagSpec> WithJobFlags(std::vector<FlagSpec> more);

// Makes the header of a submit from the flags, with a new request id and the
// output folder made absolute; `model` and LoRAs are left to the caller.
// Errors: INVALID_ARGUMENT that names the flag.
absl::StatusOr<v1::JobHeader> MakeJobHeader(const Arguments& arguments);

// Parses "NAME" or "NAME:SCALE", where the name may be "NAME@SHA256". Errors:
// INVALID_ARGUMENT.
absl::StatusOr<v1::LoraReference> ParseLora(const std::string& text);

// Returns a folder as an absolute path; URIs ("file:///x", "s3://x") unchanged.
std::string AbsoluteUri(const std::string& uri);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_JOB_FLAGS_H_
