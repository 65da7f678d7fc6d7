// Copies by tensor map, mbarriers and warpgroups, in PTX for sm_90a.
//
// Addresses in shared memory are 32-bit ones of the shared window.
#ifndef TESSERA_KERNELS_CUDA_TILES_HOPPER_CUH_
#define TESSERA_KERNELS_CUDA_TILES_HOPPER_CUH_

#include <cuda.h>

#include <cstdint>

#include "kernels/cuda/tiles/device_code.h"

namespace tessera::kernels::cuda {

// Prepares a barrier for phases that end with `arrivals` arrivals and all
// announced bytes. One thread does it; FenceBarriers and a block's barrier
// follow before anyone else uses it.
TESSERA_DEVICE void InitBarrier(uint32_t barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;\n" ::"r"(barrier),
               "r"(arrivals)
               : "memory");
}

// Makes prepared barriers visible to the copy engine.
TESSERA_DEVICE void FenceBarriers() {
  asm volatile("fence.mbarrier_init.release.cluster;\n" ::: "memory");
}

// Arrives and announces bytes that copies will bring.
TESSERA_DEVICE void ArriveExpecting(uint32_t barrier, int bytes) {
  asm volatile(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;\n" ::"r"(barrier),
      "r"(bytes)
      : "memory");
}

// Arrives.
TESSERA_DEVICE void Arrive(uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];\n" ::"r"(barrier)
               : "memory");
}

// Waits until the phase of the given parity is over.
TESSERA_DEVICE void WaitBarrier(uint32_t barrier, unsigned parity) {
  uint32_t done;
  do {
    asm volatile(
        "{\n.reg .pred p;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
        "selp.u32 %0, 1, 0, p;\n}\n"
        : "=r"(done)
        : "r"(barrier), "r"(parity)
        : "memory");
  } while (done == 0);
}

// Begins to copy the box at (column, head, row, picture) to shared memory;
// `barrier` counts its bytes.
TESSERA_DEVICE void CopyBox(uint32_t to, const CUtensorMap* map, int column,
                            int head, int row, int picture, uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_"
      "tx::bytes [%0], [%1, {%2, %3, %4, %5}], [%6];\n" ::"r"(to),
      "l"(reinterpret_cast<uint64_t>(map)), "r"(column), "r"(head), "r"(row),
      "r"(picture), "r"(barrier)
      : "memory");
}

// Fetches a map into the cache of maps.
TESSERA_DEVICE void PrefetchMap(const CUtensorMap* map) {
  asm volatile(
      "prefetch.tensormap [%0];\n" ::"l"(reinterpret_cast<uint64_t>(map))
      : "memory");
}

// Gives registers away, or waits for others to give enough; all threads of a
// warpgroup together.
template <int kRegisters>
TESSERA_DEVICE void ShrinkRegisters() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;\n" ::"n"(kRegisters));
}
template <int kRegisters>
TESSERA_DEVICE void GrowRegisters() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;\n" ::"n"(kRegisters));
}

// Waits at a numbered barrier (1 to 15) for `threads` threads in all, or
// arrives there without waiting.
TESSERA_DEVICE void SyncNamed(int id, int threads) {
  asm volatile("bar.sync %0, %1;\n" ::"r"(id), "r"(threads) : "memory");
}
TESSERA_DEVICE void ArriveNamed(int id, int threads) {
  asm volatile("bar.arrive %0, %1;\n" ::"r"(id), "r"(threads) : "memory");
}

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_HOPPER_CUH_
