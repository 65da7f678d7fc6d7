// One source, two machines: tile algorithms are device code under nvcc and
// plain inline functions for the lockstep emulation of the tests.
#ifndef TESSERA_KERNELS_CUDA_TILES_DEVICE_CODE_H_
#define TESSERA_KERNELS_CUDA_TILES_DEVICE_CODE_H_

// Marks a function of a tile algorithm. Inlining is forced on the device, for
// fragments live in registers only as long as every index is a constant.
#ifdef __CUDACC__
#define TESSERA_DEVICE __device__ __forceinline__
#else
#define TESSERA_DEVICE inline
#endif

#endif  // TESSERA_KERNELS_CUDA_TILES_DEVICE_CODE_H_
