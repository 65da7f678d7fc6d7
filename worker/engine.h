// The face of a loaded model towards the executor; tests put a fake behind it.
#ifndef TESSERA_WORKER_ENGINE_H_
#define TESSERA_WORKER_ENGINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/assignment.h"
#include "worker/generation_parameters.h"
#include "worker/model/denoise_batch.h"

namespace tessera::worker {

// A model and the batch of pictures that is on its way through it. Pictures
// enter at any time and leave when they are done. Thread-compatible.
class Engine {
 public:
  virtual ~Engine() = default;

  // What pictures' texts say of the model; never changes.
  virtual const ModelFacts& facts() const = 0;

  // Puts a picture into the batch and returns warnings: what its user should
  // know, such as a LoRA that fits in part. INVALID_ARGUMENT when this model
  // cannot make it, NOT_FOUND for an unknown LoRA, RESOURCE_EXHAUSTED when the
  // device has too little memory beside the pictures in it; the batch is then
  // unchanged.
  virtual absl::StatusOr<std::vector<std::string>> Admit(
      int64_t ticket, const ImageTask& task) = 0;

  // Advances every picture by one UNet call and returns those that are done.
  // An error of the call is the result of every picture, RESOURCE_EXHAUSTED
  // when the device has too little memory for so many.
  virtual std::vector<model::Finished> Step() = 0;

  // Drops a picture.
  virtual void Remove(int64_t ticket) = 0;

  // Says whether the engine can still be used. Once it is not OK it stays the
  // same error. ABORTED: of a pipeline that has ended; else of the device, and
  // only a new process gets the device back.
  virtual absl::Status health() const = 0;

  // How many pictures to put together where `batch` were asked for.
  virtual int capacity(int batch) const { return batch; }

  // Where the time went since the model was loaded.
  virtual model::StageSeconds seconds() const = 0;
};

// Provides the engines of the models at hand. Thread-compatible.
class EngineSource {
 public:
  virtual ~EngineSource() = default;

  // Returns the engine of the model `name`; it lives until another model is
  // asked for. NOT_FOUND for an unknown name, or why it cannot be loaded.
  virtual absl::StatusOr<Engine*> Get(const std::string& name) = 0;

  // Returns the engine of the pipeline that this worker leads; it lives until
  // Release. ABORTED when it leads none for the model `name`.
  virtual absl::StatusOr<Engine*> GetPipelined(const std::string& name) {
    return absl::AbortedError("this worker leads no pipeline for model " +
                              name);
  }

  // Ends the use of the engine that was returned last.
  virtual void Release() {}
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_ENGINE_H_
