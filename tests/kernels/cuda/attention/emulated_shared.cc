#include "tests/kernels/cuda/attention/emulated_shared.h"

#include <cstring>

namespace tessera::kernels::cuda {
namespace {

// A lane's word of shared memory, the unit of the records.
constexpr int kWordBytes = 4;

// Violations kept: one mistake is repeated by every thread.
constexpr size_t kMaxViolations = 8;

// Marks reads of one warp by several lanes.
constexpr int kSeveral = -2;

}  // namespace

EmulatedShared::EmulatedShared(int bytes, int threads)
    : bytes_(bytes, 0xFF),
      words_(bytes / kWordBytes),
      warp_barriers_(threads / 32, 0) {}

void EmulatedShared::Barrier() { ++barriers_; }

void EmulatedShared::WarpBarrier(int warp) { ++warp_barriers_[warp]; }

EmulatedShared::Touch EmulatedShared::Now(int thread) const {
  return {thread, barriers_, warp_barriers_[thread / 32]};
}

// Returns whether a touch, by whatever thread of its warp, happened before
// what `thread` does now.
bool EmulatedShared::Ordered(const Touch& before, int thread) const {
  if (before.thread == -1 || before.thread == thread) return true;
  return before.barriers < barriers_;
}

void EmulatedShared::Report(const std::string& what) {
  if (violations_.size() < kMaxViolations) violations_.push_back(what);
}

bool EmulatedShared::InRange(int offset, int bytes) {
  const bool fits = offset >= 0 && offset % bytes == 0 &&
                    offset + bytes <= static_cast<int>(bytes_.size());
  if (!fits) Report("outside or misaligned: offset " + std::to_string(offset));
  return fits;
}

void EmulatedShared::RecordWrite(int thread, int offset, int bytes) {
  for (int i = offset / kWordBytes; i < (offset + bytes) / kWordBytes; ++i) {
    Word& word = words_[i];
    const int warp = thread / 32;
    const bool same_warp = word.write.thread / 32 == warp;
    const bool after_write =
        Ordered(word.write, thread) ||
        (same_warp && word.write.warp_barriers < warp_barriers_[warp]);
    if (word.under_way || !after_write) {
      Report("write over a write, word " + std::to_string(i) + ", thread " +
             std::to_string(thread));
    }
    for (int w = 0; w < static_cast<int>(warp_barriers_.size()); ++w) {
      const Touch& read = word.reads[w];
      const bool after_read =
          Ordered(read, thread) ||
          (w == warp && read.warp_barriers < warp_barriers_[warp]);
      if (!after_read) {
        Report("write under a read, word " + std::to_string(i) + ", thread " +
               std::to_string(thread));
      }
    }
    word.write = Now(thread);
  }
}

void EmulatedShared::Write(int thread, int offset, const void* from,
                           int bytes) {
  if (!InRange(offset, bytes)) return;
  RecordWrite(thread, offset, bytes);
  std::memcpy(bytes_.data() + offset, from, bytes);
}

void EmulatedShared::Read(int thread, int offset, void* to, int bytes) {
  std::memset(to, 0xFF, bytes);
  if (!InRange(offset, bytes)) return;
  const int warp = thread / 32;
  for (int i = offset / kWordBytes; i < (offset + bytes) / kWordBytes; ++i) {
    Word& word = words_[i];
    const bool same_warp = word.write.thread / 32 == warp;
    const bool seen =
        word.write.thread != -1 && !word.under_way &&
        (Ordered(word.write, thread) ||
         (same_warp && word.write.warp_barriers < warp_barriers_[warp]));
    if (!seen) {
      Report("read of what is not there yet, word " + std::to_string(i) +
             ", thread " + std::to_string(thread));
    }
    Touch now = Now(thread);
    Touch& last = word.reads[warp];
    const bool again = last.barriers == now.barriers &&
                       last.warp_barriers == now.warp_barriers;
    if (again && last.thread != thread) now.thread = kSeveral;
    last = now;
  }
  std::memcpy(to, bytes_.data() + offset, bytes);
}

void EmulatedShared::BeginCopy(int thread, int offset) {
  if (!InRange(offset, 16)) return;
  RecordWrite(thread, offset, 16);
  std::memset(bytes_.data() + offset, 0xFF, 16);
  for (int i = 0; i < 4; ++i) words_[offset / kWordBytes + i].under_way = true;
}

void EmulatedShared::EndCopy(int thread, int offset, const void* from) {
  if (!InRange(offset, 16)) return;
  std::memcpy(bytes_.data() + offset, from, 16);
  for (int i = 0; i < 4; ++i) {
    Word& word = words_[offset / kWordBytes + i];
    word.under_way = false;
    word.write = Now(thread);
  }
}

}  // namespace tessera::kernels::cuda
