// Memory that cannot be touched but in a window of time.
#ifndef TESSERA_TESTS_SUPPORT_GUARDED_MEMORY_H_
#define TESSERA_TESTS_SUPPORT_GUARDED_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <map>

#include "kernels/memory.h"

namespace tessera {

// A region of address space that is closed to all access unless it is opened.
// Thread-compatible.
class GuardedMemory final : public kernels::Memory {
 public:
  // Reserves `bytes`, a multiple of 4096.
  explicit GuardedMemory(int64_t bytes);
  // Everything must have been freed.
  ~GuardedMemory() override;

  kernels::Place place() const override { return kernels::Place::kDevice; }
  absl::StatusOr<void*> Allocate(int64_t bytes) override;
  void Free(void* memory, int64_t bytes) override;

  // Opens the memory until as many calls of Close.
  void Open();
  void Close();

 private:
  void Protect(int access);

  const int64_t bytes_;
  std::byte* base_ = nullptr;
  // Free stretches: size by offset, none empty and no two adjacent.
  std::map<int64_t, int64_t> free_;
  int64_t used_ = 0;  // the highest end of any allocation so far
  int open_ = 0;
};

}  // namespace tessera

#endif  // TESSERA_TESTS_SUPPORT_GUARDED_MEMORY_H_
