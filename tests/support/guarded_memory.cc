#include "tests/support/guarded_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace tessera {
namespace {

constexpr int64_t kPage = 4096;

// Gives every allocation pages of its own, at least one.
int64_t WholePages(int64_t bytes) { return (bytes / kPage + 1) * kPage; }

}  // namespace

GuardedMemory::GuardedMemory(int64_t bytes) : bytes_(bytes) {
  CHECK(bytes > 0 && bytes % kPage == 0);
  void* const base = ::mmap(nullptr, static_cast<size_t>(bytes), PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(base != MAP_FAILED);
  base_ = static_cast<std::byte*>(base);
  free_[0] = bytes;
}

GuardedMemory::~GuardedMemory() {
  // Catches a tensor that outlives its device.
  CHECK(free_.size() == 1 && free_.begin()->second == bytes_);
  ::munmap(base_, static_cast<size_t>(bytes_));
}

// Takes the first stretch that is long enough.
absl::StatusOr<void*> GuardedMemory::Allocate(int64_t bytes) {
  const int64_t size = WholePages(bytes);
  const auto found =
      std::find_if(free_.begin(), free_.end(),
                   [&](const auto& stretch) { return stretch.second >= size; });
  if (found == free_.end()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("guarded: out of memory: ", bytes, " bytes"));
  }
  const auto [offset, length] = *found;
  free_.erase(found);
  if (length > size) free_[offset + size] = length - size;
  used_ = std::max(used_, offset + size);
  void* const memory = base_ + offset;
  Open();
  std::memset(memory, 0, static_cast<size_t>(size));
  Close();
  return memory;
}

void GuardedMemory::Free(void* memory, int64_t bytes) {
  int64_t offset = static_cast<std::byte*>(memory) - base_;
  int64_t size = WholePages(bytes);
  // Joins the stretches before and behind it.
  const auto next = free_.lower_bound(offset);
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == offset) {
      offset = previous->first;
      size += previous->second;
      free_.erase(previous);
    }
  }
  if (next != free_.end() && offset + size == next->first) {
    size += next->second;
    free_.erase(next);
  }
  free_[offset] = size;
}

void GuardedMemory::Open() {
  if (open_++ == 0) Protect(PROT_READ | PROT_WRITE);
}

void GuardedMemory::Close() {
  CHECK(open_ > 0);
  if (--open_ == 0) Protect(PROT_NONE);
}

// Changes what has been allocated so far; the rest stays closed.
void GuardedMemory::Protect(int access) {
  CHECK(::mprotect(base_, static_cast<size_t>(used_), access) == 0);
}

}  // namespace tessera
