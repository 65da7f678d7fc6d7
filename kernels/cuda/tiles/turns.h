// Two warpgroups that take turns at the tensor cores.
#ifndef TESSERA_KERNELS_CUDA_TILES_TURNS_H_
#define TESSERA_KERNELS_CUDA_TILES_TURNS_H_

namespace tessera::kernels::cuda {

// While one group issues products, the other computes exponentials. Each group
// waits at its own named barrier before its turn and arrives at the other's
// after it; both take `turns` turns, group 0 first. Every arrival is met by one
// wait, so that nothing is left in a barrier at the end.
struct Turns {
  int group = 0;  // 0 or 1

  static constexpr int kThreads = 2 * 128;  // of a barrier: waiting + arriving

  // Returns the barrier that this group waits at, and that of the other.
  constexpr int own_barrier() const { return 1 + group; }
  constexpr int other_barrier() const { return 2 - group; }

  // Returns whether the group arrives at the other's barrier before all turns.
  constexpr bool ArrivesFirst(int turns) const {
    return group == 1 && turns > 0;
  }

  // Returns whether it arrives there after its turn with `left` turns to come.
  constexpr bool ArrivesAfter(int left) const { return group == 0 || left > 0; }
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_KERNELS_CUDA_TILES_TURNS_H_
