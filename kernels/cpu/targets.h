// Which instruction sets the kernels are compiled for. Include before Highway.
#ifndef TESSERA_KERNELS_CPU_TARGETS_H_
#define TESSERA_KERNELS_CPU_TARGETS_H_

// Targets without fused multiply-add would round twice and give other bits, so
// they are left out; of the AVX-512 family the plain one serves all. The
// compiler's baseline is compiled because Highway asks for it, and never runs:
// CreateCpuDevice refuses such a machine.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)

#endif  // TESSERA_KERNELS_CPU_TARGETS_H_
