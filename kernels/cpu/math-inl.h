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

// 1 / (1 + e^-x). Highway's Exp takes 104 at most, where it is infinite.
HWY_INLINE V Sigmoid(V x) {
  const V one = hn::Set(D(), 1.0f);
  const V exponent = hn::Min(hn::Neg(x), hn::Set(D(), 104.0f));
  return hn::Div(one, hn::Add(one, Exp(exponent)));
}

// The complementary error function of x >= 0, relative error 1.2e-7 before
// rounding (Press et al., Numerical Recipes, 2nd edition, section 6.2).
HWY_INLINE V ErfcOfPositive(V x) {
  // Holds the polynomial's coefficients below the highest, which starts p, in
  // Horner order.
  constexpr float kCoefficients[] = {-0.82215223f, 1.48851587f,  -1.13520398f,
                                     0.27886807f,  -0.18628806f, 0.09678418f,
                                     0.37409196f,  1.00002368f,  -1.26551223f};
  const D d;
  const V one = hn::Set(d, 1.0f);
  const V t = hn::Div(one, hn::MulAdd(hn::Set(d, 0.5f), x, one));
  V p = hn::Set(d, 0.17087277f);
  for (const float c : kCoefficients) p = hn::MulAdd(p, t, hn::Set(d, c));
  return hn::Mul(t, Exp(hn::NegMulAdd(x, x, p)));
}

// x Phi(x), the exact GELU (Hendrycks and Gimpel 2016). With the tail
// |x| erfc(|x| / sqrt 2) / 2 nothing cancels at either end.
HWY_INLINE V Gelu(V x) {
  const D d;
  const V size = hn::Abs(x);
  const V tail =
      hn::Mul(hn::Mul(hn::Set(d, 0.5f), size),
              ErfcOfPositive(hn::Mul(size, hn::Set(d, 0.70710678118654752f))));
  return hn::Sub(hn::Max(x, hn::Zero(d)), tail);
}

// Applies the activation, the same for all lanes; callers keep the switch out
// of inner loops over k.
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
