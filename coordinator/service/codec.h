// The public API's messages to and from domain types; all validation of
// requests.
#ifndef TESSERA_COORDINATOR_SERVICE_CODEC_H_
#define TESSERA_COORDINATOR_SERVICE_CODEC_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "coordinator/job.h"
#include "coordinator/prompt_line.h"
#include "tessera/v1/generation_service.pb.h"
#include "tessera/v1/job.pb.h"

namespace tessera::coordinator {

// A job's header as the core and as the prompt lines need it.
struct SubmitHeader {
  JobHeader job;
  PromptLineOptions lines;
};

// Decodes a header. LoRAs that it does not list are resolved by `registry`,
// which may be null and otherwise outlives the result. Errors: INVALID_ARGUMENT
// "field: reason"; those of the registry. Whether the output folder can be used
// is the core's to say.
absl::StatusOr<SubmitHeader> DecodeJobHeader(const v1::JobHeader& header,
                                             LoraResolver* registry);

// Returns the id. Errors: INVALID_ARGUMENT when it is empty.
absl::StatusOr<JobId> DecodeJobId(const std::string& job_id);

// Returns the page size that a request means: `fallback` for 0, at most 1000.
// Errors: INVALID_ARGUMENT for a negative one.
absl::StatusOr<int64_t> DecodePageSize(int32_t page_size, int64_t fallback);

// Page tokens hold one positive number; the empty token is 0, the first or the
// last page. Errors: INVALID_ARGUMENT for a token not made by EncodePageToken.
absl::StatusOr<int64_t> DecodePageToken(const std::string& token);
std::string EncodePageToken(int64_t position);

v1::Job EncodeJob(const Job& job);
v1::Image EncodeImage(const ImageRecord& image);
v1::Worker EncodeWorker(const Worker& worker);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_CODEC_H_
