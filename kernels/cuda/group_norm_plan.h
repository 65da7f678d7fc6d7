// How a group norm shares out its pixels and channels.
#ifndef TESSERA_KERNELS_CUDA_GROUP_NORM_PLAN_H_
#define TESSERA_KERNELS_CUDA_GROUP_NORM_PLAN_H_

#include <algorithm>
#include <cstdint>

namespace tessera::kernels::cuda {

// Threads a block at most, of the passes over the pixels.
inline constexpr int kGroupNormThreads = 256;

// Pixels of a slice at least: fewer would not pay for combining a partial.
inline constexpr int64_t kMinSlicePixels = 32;

// Slices of a picture at most: a large picture alone fills the device, and a
// warp combines them in 32 steps.
inline constexpr int64_t kMaxSlices = 1024;

// Bytes of one pixel's chunk of channels at least, where there are as many:
// two 128-byte lines.
inline constexpr int64_t kMinChunkBytes = 256;

// One partial result: the mean, and the sum of squared differences from it.
// How many values it is about follows from the plan.
struct GroupNormPartial {
  float mean;
  float m2;
};

// What the second pass needs of one group of one picture.
struct GroupNormStatistics {
  float mean;
  float inverse_deviation;
};

// Two passes over [n, pixels, channels], and between them a small kernel that
// combines the partials. A block of a pass works on one chunk of whole groups
// and one slice of the pixels of one picture. Nothing here depends on the
// number of pictures, so that a picture's bits do not either.
struct GroupNormPlan {
  int64_t group_channels = 0;  // channels / groups
  int width = 1;               // channels a thread loads at once
  int64_t chunk_groups = 0;    // groups of a chunk; divides the groups
  int64_t chunk_packs = 0;     // packs of `width` channels of a chunk
  int64_t chunks = 0;
  int64_t slice_pixels = 0;  // of every slice but a shorter last one
  int64_t slices = 0;
  int pack_threads = 0;       // threads side by side on a pixel's packs
  int lanes = 0;              // pixels that a block reads at once
  int64_t shared_bytes = 0;   // of the first pass: a partial a lane and channel
  int64_t picture_bytes = 0;  // of workspace: partials, then statistics

  // Returns the threads of a block: whole warps, the last few idle.
  constexpr int threads() const {
    return (pack_threads * lanes + 31) / 32 * 32;
  }

  // Returns how many pixels slice `slice` of `pixels` has.
  constexpr int64_t PixelsOf(int64_t slice, int64_t pixels) const {
    return std::min(slice_pixels, pixels - slice * slice_pixels);
  }
};

// Plans a group norm of pictures of `pixels` pixels, elements of
// `element_bytes` bytes; `groups` divides `channels`, all at least 1.
constexpr GroupNormPlan PlanGroupNorm(int64_t pixels, int64_t channels,
                                      int64_t groups, int element_bytes) {
  GroupNormPlan plan;
  plan.group_channels = channels / groups;
  const int widest = 16 / element_bytes;
  plan.width = channels % widest == 0 ? widest : 1;
  // Takes the fewest groups whose channels are whole packs and whole lines.
  plan.chunk_groups = groups;
  for (int64_t candidate = 1; candidate < groups; ++candidate) {
    const int64_t chunk_channels = candidate * plan.group_channels;
    if (groups % candidate == 0 && chunk_channels % plan.width == 0 &&
        chunk_channels * element_bytes >= kMinChunkBytes) {
      plan.chunk_groups = candidate;
      break;
    }
  }
  plan.chunks = groups / plan.chunk_groups;
  plan.chunk_packs = plan.chunk_groups * plan.group_channels / plan.width;
  plan.slices = std::clamp<int64_t>(pixels / kMinSlicePixels, 1, kMaxSlices);
  plan.slice_pixels = (pixels + plan.slices - 1) / plan.slices;
  // Rounding up may leave the last slices empty.
  plan.slices = (pixels + plan.slice_pixels - 1) / plan.slice_pixels;
  plan.pack_threads =
      static_cast<int>(std::min<int64_t>(plan.chunk_packs, kGroupNormThreads));
  plan.lanes = static_cast<int>(std::clamp<int64_t>(
      kGroupNormThreads / plan.pack_threads, 1, plan.slice_pixels));
  plan.shared_bytes = plan.lanes * plan.chunk_packs * plan.width *
                      static_cast<int64_t>(sizeof(GroupNormPartial));
  plan.picture_bytes =
      groups * (plan.slices * static_cast<int64_t>(sizeof(GroupNormPartial)) +
                static_cast<int64_t>(sizeof(GroupNormStatistics)));
  return plan;
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_GROUP_NORM_PLAN_H_
