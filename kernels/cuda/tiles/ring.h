// A ring of buffers between a producer and its consumers, on mbarriers.
#ifndef TESSERA_KERNELS_CUDA_TILES_RING_H_
#define TESSERA_KERNELS_CUDA_TILES_RING_H_

namespace tessera::kernels::cuda {

// The next buffer of one side, and the parity that side waits for there.
//
// An mbarrier's phases count 0, 1, 2, ...; waiting for parity p passes once the
// phase in progress has the other parity, so waiting for 1 passes at once on a
// fresh one. A consumer waits on a buffer's `full` barrier and starts with
// parity 0; a producer waits on its `empty` barrier and starts with 1, for all
// buffers are free then. Both flip each time they come round.
template <int kStages>
struct RingPosition {
  int stage = 0;
  unsigned parity = 0;

  // Returns where a producer starts, and where a consumer does.
  static constexpr RingPosition OfProducer() { return {0, 1}; }
  static constexpr RingPosition OfConsumer() { return {0, 0}; }

  // Goes on to the next buffer.
  constexpr void Advance() {
    if (++stage == kStages) {
      stage = 0;
      parity ^= 1;
    }
  }
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_RING_H_
