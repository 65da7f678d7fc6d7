// Shared memory that knows who wrote what when.
#ifndef TESSERA_TESTS_KERNELS_CUDA_ATTENTION_EMULATED_SHARED_H_
#define TESSERA_TESTS_KERNELS_CUDA_ATTENTION_EMULATED_SHARED_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tessera::kernels::cuda {

// Bytes of a thread block, poisoned with NaN of every format, with a record
// for each word of its last writer and of each warp's last reads. An access
// that no barrier separates from another thread's conflicting one is a
// violation, as is a read of what nobody wrote or of a copy under way.
class EmulatedShared {
 public:
  EmulatedShared(int bytes, int threads);

  // Separates everything before from everything after.
  void Barrier();
  // The same between the threads of a warp.
  void WarpBarrier(int warp);

  // Copies `bytes` (a multiple of 4) in or out on behalf of a thread.
  void Write(int thread, int offset, const void* from, int bytes);
  void Read(int thread, int offset, void* to, int bytes);

  // Marks 16 bytes as being written by an asynchronous copy of `thread`, and
  // ends that: the bytes are there, for that thread.
  void BeginCopy(int thread, int offset);
  void EndCopy(int thread, int offset, const void* from);

  // Returns what went wrong so far, the first few; empty if nothing.
  const std::vector<std::string>& violations() const { return violations_; }
  // Adds a violation found by the machine around this memory.
  void Report(const std::string& what);

 private:
  // When a thread touched a word: by barriers passed.
  struct Touch {
    int thread = -1;  // -1: nobody
    int64_t barriers = -1;
    int64_t warp_barriers = -1;
  };
  struct Word {
    Touch write;
    bool under_way = false;
    std::array<Touch, 8> reads;  // of each warp, its last one
  };

  Touch Now(int thread) const;
  bool Ordered(const Touch& before, int thread) const;
  void RecordWrite(int thread, int offset, int bytes);
  bool InRange(int offset, int bytes);

  std::vector<unsigned char> bytes_;
  std::vector<Word> words_;
  int64_t barriers_ = 0;
  std::vector<int64_t> warp_barriers_;
  std::vector<std::string> violations_;
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_TESTS_KERNELS_CUDA_ATTENTION_EMULATED_SHARED_H_
