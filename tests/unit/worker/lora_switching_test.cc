// A worker that switches LoRAs a thousand times, on real files.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/device.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/lora/cache_harness.h"
#include "worker/lora_store.h"

namespace tessera::worker {
namespace {

using ::tessera::testing::IsOk;

constexpr int kSwitches = 1000;
// What the allocator may keep beyond the first hundred switches. A leak of one
// adapter, or of its file, a switch would be hundreds of megabytes.
constexpr int64_t kMostGrowthBytes = int64_t{16} << 20;

// Returns the resident set of this process.
int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

// Returns how many descriptors this process has open.
int64_t OpenFiles() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

class LoraSwitchingTest : public lora::CacheTest {
 protected:
  // Registers a LoRA of the goldens.
  LoraUse Register(const std::string& name) {
    const std::string bytes =
        testing::ReadText(Source("/tests/golden/loras/" + name));
    largest_ = std::max(largest_, static_cast<int64_t>(bytes.size()));
    total_ += static_cast<int64_t>(bytes.size());
    return {name, 1, source_.Put(bytes)};
  }

  static std::string Source(const std::string& path) {
    return std::string(TESSERA_SOURCE_DIR) + path;
  }

  int64_t largest_ = 0;
  int64_t total_ = 0;
};

TEST_F(LoraSwitchingTest, AThousandSwitchesTakeNoMemoryAndNoDescriptors) {
  source_.piece = 1 << 20;
  std::vector<LoraUse> uses;
  for (const char* name : {"ink-peft.safetensors", "ink-kohya.safetensors",
                           "pixel-peft.safetensors"}) {
    uses.push_back(Register(name));
  }
  // Neither tier holds all three, so that each switch evicts in both: parsed,
  // these f16 files take somewhat more than twice their size.
  const auto node = Make(total_ - 1);
  const std::unique_ptr<kernels::Device> device =
      kernels::CreateCpuDevice(1).value();
  const auto model =
      lora::ModelLayers::Read(Source("/deploy/local/models/emoji-sd"));
  ASSERT_THAT(model, IsOk());
  lora::CountingEvents parsed;
  LoraStore store(
      {{}, 3 * largest_},
      [&](const std::string& path, const lora::ModelLayers& layers,
          const lora::AdapterOptions& options) {
        return lora::ReadAdapterFile(path, layers, options, *device);
      },
      node.get(), parsed);

  int64_t bytes_before = 0;
  int64_t files_before = 0;
  for (int i = 0; i < kSwitches; ++i) {
    if (i == kSwitches / 10) {
      bytes_before = ResidentBytes();
      files_before = OpenFiles();
    }
    ASSERT_THAT(store.Get(uses[i % uses.size()], *model), IsOk());
    clock_.Advance(absl::Seconds(1));
  }

  EXPECT_LT(ResidentBytes() - bytes_before, kMostGrowthBytes);
  EXPECT_EQ(OpenFiles(), files_before);
  EXPECT_GT(parsed.evictions, kSwitches / 2);
  EXPECT_GT(events_.evictions, kSwitches / 2);
}

}  // namespace
}  // namespace tessera::worker
