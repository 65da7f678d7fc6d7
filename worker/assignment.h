// The work a worker is given and what it gives back, as plain data.
//
// These mirror tessera/internal/v1 so that the executor needs no protocol.
#ifndef TESSERA_WORKER_ASSIGNMENT_H_
#define TESSERA_WORKER_ASSIGNMENT_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace tessera::worker {

// A LoRA by its registered name; scale 1 is full strength.
struct LoraUse {
  std::string name;
  float scale = 1.0f;
  // Of the registry's file that the name means; empty for a file that this
  // worker was given.
  std::string sha256;
  // Leave out the keys that fit no layer of the model.
  bool allow_unmatched = false;

  friend bool operator==(const LoraUse&, const LoraUse&) = default;
};

// One picture to make.
struct ImageTask {
  int64_t line = 0;  // line of the prompts file, from 0
  std::string custom_id;
  int index = 0;  // which picture of the line, from 0
  std::string prompt;
  std::string negative_prompt;
  uint64_t seed = 0;
  int num_inference_steps = 50;
  float guidance_scale = 7.5f;
  int width = 0;        // pixels; 0: the model's own
  int height = 0;       // pixels; 0: the model's own
  std::string sampler;  // empty: the model's own
  std::vector<LoraUse> loras;
};

// The time-bound right to execute a shard.
struct Lease {
  std::string job_id;
  int64_t shard_index = 0;
  int64_t epoch = 0;  // grows with every grant of the shard

  friend bool operator==(const Lease&, const Lease&) = default;
};

// What a worker needs to execute a lease.
struct Assignment {
  Lease lease;
  std::string model;       // name of a folder of models
  std::string output_uri;  // an absolute folder or file:///folder
  std::vector<ImageTask> tasks;
  std::vector<int> finished_tasks;  // indices into `tasks`, already done
  bool isolate = false;             // one picture at a time, each committed
  // Stages of the pipeline that is to execute it; 1: this worker alone.
  int pipeline_stages = 1;
  // Digests of LoRAs that the worker's next shard will likely need.
  std::vector<std::string> prefetch_loras;
};

// A finished picture: what the manifest says about it.
struct FinishedImage {
  std::string custom_id;
  int index = 0;
  uint64_t seed = 0;
  std::string path;    // relative to the output folder
  std::string sha256;  // of the file, lower-case hexadecimal
  int width = 0;       // pixels
  int height = 0;
  std::string worker;
  double seconds = 0;  // from admission to the written file
};

// Why a task has no picture.
struct TaskFailure {
  std::string code;    // canonical status code name, such as "INTERNAL"
  std::string reason;  // for a person
};

// What became of one task.
struct TaskResult {
  int task = 0;  // index into Assignment::tasks
  std::variant<FinishedImage, TaskFailure> outcome;
  // For the job's user; what an earlier result of the lease said is left out.
  std::vector<std::string> warnings;
};

}  // namespace tessera::worker

#endif  // TESSERA_WORKER_ASSIGNMENT_H_
