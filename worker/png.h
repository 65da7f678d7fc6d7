// PNG files with text.
#ifndef TESSERA_WORKER_PNG_H_
#define TESSERA_WORKER_PNG_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/model/text_to_image.h"

namespace tessera::worker {

// Returns `image` as a PNG file of 8-bit RGB. Each (key, value) of `text`
// becomes an iTXt chunk before the pixels; keys are 1 to 79 Latin letters and
// values UTF-8. The same input gives the same bytes. INVALID_ARGUMENT when the
// pixels are not width * height * 3 bytes, INTERNAL when libpng refuses.
absl::StatusOr<std::string> EncodePng(
    const model::Image& image,
    const std::vector<std::pair<std::string, std::string>>& text);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_PNG_H_
