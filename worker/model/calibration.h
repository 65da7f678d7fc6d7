// Input ranges of a model's layers, found by making pictures.
#ifndef TESSERA_WORKER_MODEL_CALIBRATION_H_
#define TESSERA_WORKER_MODEL_CALIBRATION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/model/input_ranges.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// Makes the pictures of `requests`, one at a time, with the model in
// `model_dir` on `threads` threads of the CPU, and returns the largest inputs
// that the linear layers of its UNet read. Errors: as of TextToImage::Load, or
// of a picture.
absl::StatusOr<InputRanges> Calibrate(
    const std::string& model_dir, int threads,
    const std::vector<ImageRequest>& requests);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_CALIBRATION_H_
