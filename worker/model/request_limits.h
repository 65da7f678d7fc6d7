// The ranges of a request's numbers.
#ifndef TESSERA_WORKER_MODEL_REQUEST_LIMITS_H_
#define TESSERA_WORKER_MODEL_REQUEST_LIMITS_H_

#include "absl/status/status.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// Checks a resolved request: width and height 64 to 4096 and multiples of 8
// and of `size_multiple`, 1 to 1000 steps, finite guidance from 0 to 100,
// finite adapter strengths. INVALID_ARGUMENT names the field and its value.
absl::Status CheckRanges(const ImageRequest& request, int size_multiple);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_REQUEST_LIMITS_H_
