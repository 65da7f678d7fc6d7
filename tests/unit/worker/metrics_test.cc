#include "worker/metrics.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"

namespace tessera::worker {
namespace {

using ::testing::HasSubstr;

TEST(WorkerMetricsTest, TellsTheTiersOfTheLoraCacheApart) {
  metrics::Registry registry;
  WorkerMetrics metrics(registry);
  lora::CacheEvents& disk = metrics.lora_tier(LoraTier::kDisk);

  disk.OnHit();
  disk.OnHit();
  disk.OnMiss();
  disk.OnEviction();
  disk.OnBytes(1234);
  disk.OnLoad(absl::Milliseconds(20));
  metrics.lora_tier(LoraTier::kMemory).OnBytes(5);

  const std::string page =
      prometheus::TextSerializer().Serialize(registry.prometheus()->Collect());
  for (const char* line :
       {"tessera_worker_lora_hits_total{tier=\"disk\"} 2",
        "tessera_worker_lora_misses_total{tier=\"disk\"} 1",
        "tessera_worker_lora_evictions_total{tier=\"disk\"} 1",
        "tessera_worker_lora_bytes{tier=\"disk\"} 1234",
        "tessera_worker_lora_load_seconds_sum{tier=\"disk\"} 0.02",
        "tessera_worker_lora_load_seconds_count{tier=\"disk\"} 1",
        "tessera_worker_lora_hits_total{tier=\"memory\"} 0",
        "tessera_worker_lora_bytes{tier=\"memory\"} 5"}) {
    EXPECT_THAT(page, HasSubstr(line));
  }
}

}  // namespace
}  // namespace tessera::worker
