// Vector functions that activations and softmax share.

// Per-target include guard.
#if defined(TESSERA_KERNELS_CPU_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TESSERA_KERNELS_CPU_MATH_INL_H_
#undef TESSERA_KERNELS_CPU_MATH_INL_H_
#else
#define TESSERA_KERNELS_CPU_MATH_INL_H_
#endif

#include "hwy/contrib/math/math-inl.h"
#include "kernels/cpu/tile-inl.h"
#include "kernels/ops/activation.h"

HWY_BEFORE_NAMESPACE();
namespace tessera::kernels::cpu {
namespace HWY_NAMESPACE {

// e^x within 1 ulp.
HWY_INLINE V Exp(V x) { return hn::Exp(D(), x); }

// 1 / (1 + e^-x).
HWY_INLINE V Sigmoid(V x) {
  const V one = hn::Set(D(), 1.0f);
  return hn::Div(one, hn::Add(one, Exp(hn::Neg(x))));
}

// The error function: an odd rational minimax approximation on [-4, 4], beyond
// which it is +-1 in f32; absolute error below 3e-7.
HWY_INLINE V Erf(V x) {
  const D d;
  const V t = hn::Min(hn::Max(x, hn::Set(d, -4.0f)), hn::Set(d, 4.0f));
  const V s = hn::Mul(t, t);
  V p = hn::Set(d, -2.72614225801306e-10f);
  p = hn::MulAdd(p, s, hn::Set(d, 2.77068142495902e-08f));
  p = hn::MulAdd(p, s, hn::Set(d, -2.10102402082508e-06f));
  p = hn::MulAdd(p, s, hn::Set(d, -5.69250639462346e-05f));
  p = hn::MulAdd(p, s, hn::Set(d, -7.34990630326855e-04f));
  p = hn::MulAdd(p, s, hn::Set(d, -2.95459980854025e-03f));
  p = hn::MulAdd(p, s, hn::Set(d, -1.60960333262415e-02f));
  V q = hn::Set(d, -1.45660718464996e-05f);
  q = hn::MulAdd(q, s, hn::Set(d, -2.13374055278905e-04f));
  q = hn::MulAdd(q, s, hn::Set(d, -1.68282697438203e-03f));
  q = hn::MulAdd(q, s, hn::Set(d, -7.37332916720468e-03f));
  q = hn::MulAdd(q, s, hn::Set(d, -1.42647390514189e-02f));
  return hn::Div(hn::Mul(t, p), q);
}

// x Phi(x), the exact GELU (Hendrycks and Gimpel 2016).
HWY_INLINE V Gelu(V x) {
  const D d;
  const V half = hn::Mul(x, hn::Set(d, 0.5f));
  return hn::MulAdd(half, Erf(hn::Mul(x, hn::Set(d, 0.70710678118654752f))),
                    half);
}

HWY_INLINE V Apply(Activation activation, V x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kSilu:
      return hn::Mul(x, Sigmoid(x));
    case Activation::kQuickGelu:
      return hn::Mul(x, Sigmoid(hn::Mul(x, hn::Set(D(), 1.702f))));
    case Activation::kGelu:
      return Gelu(x);
  }
  return x;
}

// Adds 16 partial sums in one fixed order, the same for every vector width.
HWY_INLINE float SumOf16(const float* partials) {
  float sum[16];
  for (int i = 0; i < 16; ++i) sum[i] = partials[i];
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) sum[i] += sum[i + width];
  }
  return sum[0];
}

}  // namespace HWY_NAMESPACE
}  // namespace tessera::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
