// What identifies a convolution layer, and which engines may compute it.
#ifndef TESSERA_KERNELS_CUDA_CONV2D_CHOICE_H_
#define TESSERA_KERNELS_CUDA_CONV2D_CHOICE_H_

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/dtype.h"

namespace tessera::kernels::cuda {

// A layer on pictures of one size. The number of pictures is no part of it:
// one engine with one set of knobs serves every batch, so that the batch does
// not change a picture's bits.
struct Conv2dKey {
  int64_t height = 0;
  int64_t width = 0;
  int64_t input_channels = 0;
  int64_t output_channels = 0;
  int64_t kernel_height = 0;
  int64_t kernel_width = 0;
  int64_t stride = 1;
  int64_t top = 0;  // padding
  int64_t left = 0;
  int64_t bottom = 0;
  int64_t right = 0;
  bool bias = false;  // of `dtype`, added by the engine
  DType dtype = DType::kF16;

  auto operator<=>(const Conv2dKey&) const = default;

  // The size of the result.
  constexpr int64_t out_height() const {
    return (height + top + bottom - kernel_height) / stride + 1;
  }
  constexpr int64_t out_width() const {
    return (width + left + right - kernel_width) / stride + 1;
  }

  // Formats as "64x64x320 -> 640, 3x3 stride 1" for messages.
  std::string ToString() const;
};

// A setting of an engine, by cuDNN's number for it.
struct EngineKnob {
  int64_t type = 0;
  int64_t value = 0;

  bool operator==(const EngineKnob&) const = default;
};

// An engine of cuDNN with its settings: what is chosen once for a layer.
struct EngineChoice {
  int64_t engine = 0;
  std::vector<EngineKnob> knobs;

  bool operator==(const EngineChoice&) const = default;

  // Formats as "engine 41, knobs 2=3 14=4" for messages and logs.
  std::string ToString() const;
};

// Returns whether an engine with these settings adds up each output in one
// order that the layer alone fixes: no sum over the taps and channels is split
// between blocks.
bool SplitsNoSum(const EngineChoice& choice);

// Returns whether an engine with these numerical notes of cuDNN gives equal
// bits in every run, and sums in f32 without transforms that lose digits.
bool IsExactEnough(std::span<const int> notes);

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_CONV2D_CHOICE_H_
