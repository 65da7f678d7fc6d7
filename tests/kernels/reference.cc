#include "tests/kernels/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tessera::kernels::reference {
namespace {

// Normalises elements at `offset + i * stride` and `width` after each, for i
// in [0, count), in place.
void Normalize(Values& values, int64_t offset, int64_t count, int64_t stride,
               int64_t width, double eps) {
  const double total = static_cast<double>(count * width);
  double mean = 0, variance = 0;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      mean += values[offset + i * stride + j] / total;
    }
  }
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      const double centred = values[offset + i * stride + j] - mean;
      variance += centred * centred / total;
    }
  }
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      double& value = values[offset + i * stride + j];
      value = (value - mean) / std::sqrt(variance + eps);
    }
  }
}

void ScaleAndShift(Values& values, const TensorView& weight,
                   const TensorView& bias) {
  const int64_t channels = weight.shape.elements();
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t c = static_cast<int64_t>(i) % channels;
    values[i] = values[i] * weight.f32()[c] + bias.f32()[c];
  }
}

}  // namespace

Values Read(const TensorView& view) {
  return Values(view.f32(), view.f32() + view.shape.elements());
}

double Activate(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kQuickGelu:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kGelu:
      return x * 0.5 * std::erfc(-x * std::sqrt(0.5));
  }
  return x;
}

Values MatMul(const Values& a, const Values& weights, const Values& bias,
              int64_t m, int64_t n, int64_t k) {
  Values out(static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = bias.empty() ? 0 : bias[j];
      for (int64_t p = 0; p < k; ++p) sum += a[i * k + p] * weights[j * k + p];
      out[i * n + j] = sum;
    }
  }
  return out;
}

Values Conv2d(const TensorView& input, const TensorView& weights,
              const Values& bias, int64_t stride, const Padding& padding,
              const Shape& out_shape) {
  const int64_t h = input.shape[1], w = input.shape[2], cin = input.shape[3];
  const int64_t cout = weights.shape[0];
  const int64_t kh = weights.shape[2], kw = weights.shape[3];
  Values out(static_cast<size_t>(out_shape.elements()));
  size_t at = 0;
  for (int64_t n = 0; n < out_shape[0]; ++n) {
    for (int64_t y = 0; y < out_shape[1]; ++y) {
      for (int64_t x = 0; x < out_shape[2]; ++x) {
        for (int64_t o = 0; o < cout; ++o) {
          double sum = bias.empty() ? 0 : bias[o];
          for (int64_t tap = 0; tap < kh * kw; ++tap) {
            const int64_t iy = y * stride + tap / kw - padding.top;
            const int64_t ix = x * stride + tap % kw - padding.left;
            if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
            for (int64_t c = 0; c < cin; ++c) {
              sum += static_cast<double>(
                         input.f32()[((n * h + iy) * w + ix) * cin + c]) *
                     weights.f32()[(o * cin + c) * kh * kw + tap];
            }
          }
          out[at++] = sum;
        }
      }
    }
  }
  return out;
}

Values Attention(const AttentionArgs& args) {
  const int64_t queries = args.q.shape[1], keys = args.k.shape[1];
  const int64_t dim = args.head_dim;
  Values out(static_cast<size_t>(args.out.shape.elements()));
  Values scores(static_cast<size_t>(keys));
  for (int64_t row = 0; row < args.q.shape[0] * queries; ++row) {
    const int64_t n = row / queries, i = row % queries;
    for (int64_t head = 0; head < args.heads; ++head) {
      const float* const q =
          args.q.f32() + row * args.q.shape[2] + args.q_column + head * dim;
      const float* const k = args.k.f32() + n * keys * args.k.shape[2] +
                             args.k_column + head * dim;
      const float* const v = args.v.f32() + n * keys * args.v.shape[2] +
                             args.v_column + head * dim;
      const int64_t seen = args.causal ? i + 1 : keys;
      double highest = -std::numeric_limits<double>::infinity(), total = 0;
      for (int64_t j = 0; j < seen; ++j) {
        scores[j] = 0;
        for (int64_t c = 0; c < dim; ++c) {
          scores[j] += static_cast<double>(q[c]) * k[j * args.k.shape[2] + c];
        }
        scores[j] *= args.scale;
        highest = std::max(highest, scores[j]);
      }
      for (int64_t j = 0; j < seen; ++j) {
        scores[j] = std::exp(scores[j] - highest);
        total += scores[j];
      }
      for (int64_t c = 0; c < dim; ++c) {
        double sum = 0;
        for (int64_t j = 0; j < seen; ++j) {
          sum += scores[j] / total * v[j * args.v.shape[2] + c];
        }
        out[(row * args.heads + head) * dim + c] = sum;
      }
    }
  }
  return out;
}

Values GroupNorm(const TensorView& input, int64_t groups, double eps,
                 const TensorView& weight, const TensorView& bias) {
  Values values = Read(input);
  const int64_t channels = input.shape[-1], width = channels / groups;
  const int64_t pixels = input.shape.rows() / input.shape[0];
  for (int64_t n = 0; n < input.shape[0]; ++n) {
    for (int64_t g = 0; g < groups; ++g) {
      Normalize(values, n * pixels * channels + g * width, pixels, channels,
                width, eps);
    }
  }
  ScaleAndShift(values, weight, bias);
  return values;
}

Values LayerNorm(const TensorView& input, double eps, const TensorView& weight,
                 const TensorView& bias) {
  Values values = Read(input);
  const int64_t channels = input.shape[-1];
  for (int64_t row = 0; row < input.shape.rows(); ++row) {
    Normalize(values, row * channels, 1, channels, channels, eps);
  }
  ScaleAndShift(values, weight, bias);
  return values;
}

}  // namespace tessera::kernels::reference
