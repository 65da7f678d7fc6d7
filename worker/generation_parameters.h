// The text that tells how a picture was made, in AUTOMATIC1111's form.
#ifndef TESSERA_WORKER_GENERATION_PARAMETERS_H_
#define TESSERA_WORKER_GENERATION_PARAMETERS_H_

#include <string>

#include "worker/assignment.h"

namespace tessera::worker {

// What a picture's text says about the model, and what it resolved.
struct ModelFacts {
  std::string name;
  std::string digest;   // hexadecimal; the text shows the first ten digits
  std::string sampler;  // the model's own, such as "ddim"
  int width = 0;        // pixels; the model's own
  int height = 0;
};

// Returns the text of the PNG key `parameters`:
//
//   a red apple <lora:ink:0.8>
//   Negative prompt: blurry
//   Steps: 20, Sampler: DDIM, CFG scale: 7.5, Seed: 1, Size: 128x128, …
//
// The second line is left out without a negative prompt. What `task` leaves to
// the model is filled in from `model`.
std::string GenerationParameters(const ImageTask& task,
                                 const ModelFacts& model);

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_GENERATION_PARAMETERS_H_
