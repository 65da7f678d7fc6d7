// What goes ahead of a micro-batch on its way down.
#ifndef TESSERA_WORKER_PIPELINE_MICRO_BATCH_HEAD_H_
#define TESSERA_WORKER_PIPELINE_MICRO_BATCH_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/dtype.h"

namespace tessera::pipeline {

// An adapter as every rank finds it, and how strongly a picture uses it.
struct AdapterReference {
  std::string name;
  std::string sha256;  // of the registry; empty for a file given to workers
  std::string digest;  // of the file; the ranks must agree
  bool allow_unmatched = false;
  float scale = 1;

  friend bool operator==(const AdapterReference&,
                         const AdapterReference&) = default;
};

// One UNet row: which prompt, under which adapters.
struct RowReference {
  int64_t prompt = 0;
  std::vector<AdapterReference> adapters;

  friend bool operator==(const RowReference&, const RowReference&) = default;
};

// A matrix as bytes; without rows there is none.
struct MatrixBytes {
  kernels::DType dtype = kernels::DType::kF32;
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<std::byte> elements;

  friend bool operator==(const MatrixBytes&, const MatrixBytes&) = default;
};

// What the ranks compute from of a prompt, sent once.
struct PromptEmbedding {
  int64_t prompt = 0;
  MatrixBytes text;   // a row a token
  MatrixBytes added;  // one row, of models that add it to the time embedding

  friend bool operator==(const PromptEmbedding&,
                         const PromptEmbedding&) = default;
};

// Says what a micro-batch is in this round. One without rows only keeps the
// order: nothing follows it, and nothing comes back.
struct MicroBatchHead {
  int64_t micro_batch = 0;
  int64_t height = 0;  // of the latents
  int64_t width = 0;
  std::vector<float> timesteps;  // one a row
  // The rows are others than in the last round; what follows then says which.
  bool arranged = false;
  std::vector<RowReference> rows;
  std::vector<PromptEmbedding> prompts;  // those that the slot does not have

  friend bool operator==(const MicroBatchHead&,
                         const MicroBatchHead&) = default;
};

// Writes a head as bytes, and reads it back. INVALID_ARGUMENT for bytes that
// are no head.
std::vector<std::byte> EncodeHead(const MicroBatchHead& head);
absl::StatusOr<MicroBatchHead> DecodeHead(std::span<const std::byte> bytes);

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_MICRO_BATCH_HEAD_H_
