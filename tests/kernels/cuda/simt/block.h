// One block of CUDA threads on the CPU, each thread a fiber.
#ifndef TESSERA_TESTS_KERNELS_CUDA_SIMT_BLOCK_H_
#define TESSERA_TESTS_KERNELS_CUDA_SIMT_BLOCK_H_

#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace tessera::simt {

// Threads of a warp.
inline constexpr int kLanes = 32;

// What a collective does once all lanes of a warp have come: `operands` are
// what the lanes gave, by lane.
using Collective = std::function<void(void* const* operands)>;

// Runs the threads of one block until all have returned. A thread runs until
// it meets the others; whoever waits for threads that never come (a barrier
// or a collective in a divergent branch) aborts the test with a message, where
// a device would hang. Shared memory starts as NaN.
class Block {
 public:
  // Prepares `threads` threads that each call `body`.
  Block(int threads, size_t shared_bytes, std::function<void()> body);

  // Runs to the end. Calls `enter(thread)` each time before a thread goes on.
  void Run(const std::function<void(int)>& enter);

  // Waits for all threads that have not returned; called by the running one.
  void Barrier();

  // Waits for the running thread's warp, then has `collective` see the
  // operands of all of its lanes. The result is in the operands.
  void Meet(void* operand, const Collective& collective);

  // Puts off `copy` until the running thread waits for it: what is read before
  // is not what was to be copied.
  void Defer(std::function<void()> copy);

  // Ends a group of the running thread's copies; then waits until at most
  // `pending` of its newest groups are put off still.
  void Commit();
  void Wait(size_t pending);

  std::byte* shared() const { return shared_; }

  // The block whose thread is running.
  static Block& Running();

 private:
  // What keeps a thread from running.
  enum class State { kReady, kBarrier, kCollective, kDone };

  // A thread: its own stack and where it stands.
  struct Thread {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    State state = State::kReady;
    void* operand = nullptr;
    const Collective* collective = nullptr;
    // Groups of copies, the oldest first; the last one is still open.
    std::deque<std::vector<std::function<void()>>> copies =
        std::deque<std::vector<std::function<void()>>>(1);
  };

  static void Start();
  void Pause(State state);
  bool ReleaseWarp(int first);
  bool ReleaseBarrier();

  std::function<void()> body_;
  std::vector<Thread> threads_;
  std::unique_ptr<std::byte[]> memory_;
  // `memory_`, from its first 128-byte boundary on.
  std::byte* shared_ = nullptr;
  ucontext_t scheduler_;
  int running_ = 0;
};

}  // namespace tessera::simt

#endif  // TESSERA_TESTS_KERNELS_CUDA_SIMT_BLOCK_H_
