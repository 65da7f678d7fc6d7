#include "kernels/ops/conv2d.h"

#include "kernels/cpu/op_table.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv2d.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h, as Highway asks.
#include "kernels/cpu/matmul-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels::cpu {
namespace HWY_NAMESPACE {

// Points every (pixel, tap) of a block at its input row, or at zeros outside
// the picture (the indirect convolution of Dukhan 2019). Rows of the product
// are output pixels in NHWC order, over all images of the batch.
struct FillPixels {
  const Conv2dArgs& args;
  int64_t height, width, channels;         // of x
  int64_t out_height, out_width, outputs;  // of out

  void operator()(int64_t first, int64_t count, RowBlock& block,
                  const float* zeros) const {
    const int64_t window_h = args.weights.kernel_h();
    const int64_t window_w = args.weights.kernel_w();
    const float* const x = args.input.f32();
    const float* const channel_add = OrNull(args.channel_add);
    const float* const residual = OrNull(args.residual);
    for (int64_t r = 0; r < count; ++r) {
      const int64_t pixel = first + r;
      // Finds the image and the place in it of output pixel `pixel`.
      const int64_t image = pixel / (out_height * out_width);
      const int64_t oy = pixel / out_width % out_height, ox = pixel % out_width;
      for (int64_t ky = 0; ky < window_h; ++ky) {
        const int64_t y = oy * args.stride + ky - args.padding.top;
        for (int64_t kx = 0; kx < window_w; ++kx) {
          const int64_t column = ox * args.stride + kx - args.padding.left;
          const bool inside =
              y >= 0 && y < height && column >= 0 && column < width;
          // Keeps taps in the order (ky, kx), in which the weights were packed.
          block.rows[(ky * window_w + kx) * kBlockRows + r] =
              inside ? x + ((image * height + y) * width + column) * channels
                     : zeros;
        }
      }
      // Adds one vector of `outputs` an image: the time embedding.
      block.add[r] =
          channel_add == nullptr ? nullptr : channel_add + image * outputs;
      // Adds the residual from the output's own place, so it may be `out`.
      block.residual[r] =
          residual == nullptr ? nullptr : residual + pixel * outputs;
      block.out[r] = args.out.f32() + pixel * outputs;
    }
  }
};

// Treats the convolution as a product [n * ho * wo, taps * cin] by
// [taps * cin, cout], whose left operand exists as pointers only.
void Conv2dOnTarget(ThreadPool& pool, const Conv2dArgs& args) {
  const Shape &x = args.input.shape, &out = args.out.shape;
  Matmul(pool, out[0] * out[1] * out[2], args.weights, OrNull(args.bias),
         Activation::kNone,
         FillPixels{args, x[1], x[2], x[3], out[1], out[2], out[3]});
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tessera::kernels::cpu {

HWY_EXPORT(Conv2dOnTarget);

void Conv2d(Stream& stream, const Conv2dArgs& args) {
  HWY_DYNAMIC_DISPATCH(Conv2dOnTarget)(stream.device().pool(), args);
}

}  // namespace tessera::kernels::cpu
#endif  // HWY_ONCE
