#include "kernels/cuda/conv2d_choice.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace tessera::kernels::cuda {
namespace {

// Are the knobs that say into how many parts a sum is split, by their numbers
// in cudnn_graph.h; the deprecated ones still come from older engines. One part
// is none.
constexpr int64_t kSplittingKnobs[] = {0,    // SPLIT_K
                                       12,   // SPLIT_K_BUF
                                       17,   // SPLIT_K_SLC
                                       20,   // SPLIT_RS
                                       39};  // SPLIT_P_SLC

// Are the knobs that turn such a mode on.
constexpr int64_t kSplittingModes[] = {16,   // CTA_SPLIT_K_MODE
                                       38};  // STREAM_K

// Are the numerical notes of engines that are refused.
constexpr int kRefusedNotes[] = {1,   // DOWN_CONVERT_INPUTS
                                 2,   // REDUCED_PRECISION_REDUCTION
                                 3,   // FFT
                                 4,   // NONDETERMINISTIC
                                 5,   // WINOGRAD
                                 6,   // WINOGRAD_TILE_4x4
                                 7,   // WINOGRAD_TILE_6x6
                                 8};  // WINOGRAD_TILE_13x13

// Says whether `values` has `value`.
template <typename Values, typename Value>
bool Contains(const Values& values, Value value) {
  return std::find(std::begin(values), std::end(values), value) !=
         std::end(values);
}

}  // namespace

std::string Conv2dKey::ToString() const {
  return absl::StrCat(height, "x", width, "x", input_channels, " -> ",
                      output_channels, ", ", kernel_height, "x", kernel_width,
                      " stride ", stride);
}

std::string EngineChoice::ToString() const {
  std::string text = absl::StrCat("engine ", engine, ", knobs");
  for (const EngineKnob& knob : knobs) {
    absl::StrAppend(&text, " ", knob.type, "=", knob.value);
  }
  return text;
}

bool SplitsNoSum(const EngineChoice& choice) {
  return std::none_of(
      choice.knobs.begin(), choice.knobs.end(), [](const EngineKnob& knob) {
        return (knob.value > 1 && Contains(kSplittingKnobs, knob.type)) ||
               (knob.value != 0 && Contains(kSplittingModes, knob.type));
      });
}

bool IsExactEnough(std::span<const int> notes) {
  return std::none_of(notes.begin(), notes.end(),
                      [](int note) { return Contains(kRefusedNotes, note); });
}

}  // namespace tessera::kernels::cuda
