// Counts how often lanes of a phase want different words of one bank.
#ifndef TESSERA_TESTS_KERNELS_CUDA_ATTENTION_BANK_CONFLICTS_H_
#define TESSERA_TESTS_KERNELS_CUDA_ATTENTION_BANK_CONFLICTS_H_

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace tessera::kernels::cuda {

// What an access is: a copy from global memory, ldmatrix, or plain ones.
enum class SharedAccess { kCopy, kMatrix, kStore, kLoad };

// Shared memory has 32 banks of 4 bytes. A warp's access is served in phases
// of as many lanes as move 128 bytes together; a phase takes as many passes as
// the most words wanted of one bank. Accesses between Begin of a warp's lanes
// and End are matched by their order: each lane's first, each lane's second.
class BankConflicts {
 public:
  // Starts the accesses of a thread.
  void Begin(int thread) {
    if (thread % 32 == 0) End();
    lane_ = thread % 32;
  }

  // Adds an access of `bytes` (4, 8 or 16) bytes. Lanes do the same kinds of
  // accesses in the same order.
  void Access(SharedAccess kind, int offset, int bytes) {
    accesses_[lane_].push_back({kind, offset, bytes});
  }

  // Ends the accesses of a warp and counts its passes.
  void End() {
    size_t most = 0;
    for (const auto& lane : accesses_) most = std::max(most, lane.size());
    for (size_t i = 0; i < most; ++i) CountInstruction(i);
    for (auto& lane : accesses_) lane.clear();
  }

  // Returns the most passes that a phase of such an access took; 1 is free of
  // conflicts, 0 that there was none.
  int worst(SharedAccess kind) const {
    return worst_[static_cast<size_t>(kind)];
  }

  // Takes in what another thread block showed.
  void Join(const BankConflicts& other) {
    for (size_t i = 0; i < worst_.size(); ++i) {
      worst_[i] = std::max(worst_[i], other.worst_[i]);
    }
  }

 private:
  struct Span {
    SharedAccess kind;
    int offset;
    int bytes;
  };

  // Counts the i-th access of all lanes that have one.
  void CountInstruction(size_t i) {
    std::array<std::set<int>, 32> words;  // wanted of each bank, in this phase
    SharedAccess kind = SharedAccess::kLoad;
    int moved = 0;
    for (const auto& lane : accesses_) {
      if (lane.size() <= i) continue;
      kind = lane[i].kind;
      for (int at = 0; at < lane[i].bytes; at += 4) {
        const int word = (lane[i].offset + at) / 4;
        words[word % 32].insert(word);
      }
      moved += lane[i].bytes;
      if (moved % 128 == 0) Close(words, kind);
    }
    Close(words, kind);
  }

  // Ends a phase.
  void Close(std::array<std::set<int>, 32>& words, SharedAccess kind) {
    int& worst = worst_[static_cast<size_t>(kind)];
    for (auto& bank : words) {
      worst = std::max(worst, static_cast<int>(bank.size()));
      bank.clear();
    }
  }

  std::array<std::vector<Span>, 32> accesses_;
  int lane_ = 0;
  std::array<int, 4> worst_ = {};  // by kind
};

}  // namespace tessera::kernels::cuda

#endif  // TESSERA_TESTS_KERNELS_CUDA_ATTENTION_BANK_CONFLICTS_H_
