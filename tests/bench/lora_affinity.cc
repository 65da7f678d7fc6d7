// Simulates workers that take shards with LoRAs from a queue, with and without
// regard to what their nodes hold, and prints how often a LoRA was there and
// how long the UNet waited for one.
//
// Time is simulated: the program gives the same figures on every machine.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <list>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "coordinator/shard_queue.h"

namespace tessera::coordinator {
namespace {

// What is simulated.
struct Scenario {
  int loras = 1000;
  int workers = 16;
  size_t cache = 50;  // LoRAs a node holds
  int shards = 20000;
  double zipf = 1.0;         // exponent of the LoRAs' popularity
  double shard_seconds = 8;  // the UNet's work on a shard
  double fetch_seconds = 4;  // to bring a LoRA to the node
};

enum class Placement { kQueue, kAffinity, kAffinityAndPrefetch };

// A node's cache: the LoRA used last is first.
class Cache {
 public:
  explicit Cache(size_t capacity) : capacity_(capacity) {}

  bool Holds(const std::string& lora) const {
    return std::find(entries_.begin(), entries_.end(), lora) != entries_.end();
  }

  // Marks a LoRA as used, or takes it in.
  void Use(const std::string& lora) {
    entries_.remove(lora);
    entries_.push_front(lora);
    if (entries_.size() > capacity_) entries_.pop_back();
  }

  HeldLoras All() const { return {entries_.begin(), entries_.end()}; }

 private:
  const size_t capacity_;
  std::list<std::string> entries_;
};

// What a worker's node holds and fetches.
struct Worker {
  Cache cache;
  std::string fetching;  // in the background, while it computes
  double fetched_at = 0;
};

// What came of a run.
struct Outcome {
  int64_t hits = 0;     // the LoRA was on the node when the shard came
  double idle = 0;      // seconds that UNets waited for a LoRA
  double end = 0;       // when the last shard was done
  int64_t longest = 0;  // grants that the worst shard waited beyond its turn
};

// Returns the LoRA of every shard, drawn by Zipf's law.
std::vector<int> Draw(const Scenario& scenario) {
  std::vector<double> weights;
  for (int i = 1; i <= scenario.loras; ++i) {
    weights.push_back(1.0 / std::pow(i, scenario.zipf));
  }
  std::mt19937_64 random(7);
  std::discrete_distribution<int> popularity(weights.begin(), weights.end());
  std::vector<int> drawn;
  for (int i = 0; i < scenario.shards; ++i) drawn.push_back(popularity(random));
  return drawn;
}

// Runs all shards; workers ask in the order in which they become free.
Outcome Simulate(const Scenario& scenario, Placement placement) {
  const std::vector<int> drawn = Draw(scenario);
  ShardQueue queue;
  std::deque<int64_t> line;
  std::vector<std::string> names;
  for (int64_t shard = 0; shard < scenario.shards; ++shard) {
    names.push_back("lora-" + std::to_string(drawn[shard]));
    queue.Push(shard, {names.back()});
    line.push_back(shard);
  }
  std::vector<Worker> workers(scenario.workers, Worker{Cache(scenario.cache)});
  using Free = std::pair<double, int>;
  std::priority_queue<Free, std::vector<Free>, std::greater<>> free;
  for (int i = 0; i < scenario.workers; ++i) free.emplace(0.0, i);
  Outcome outcome;
  for (int64_t grant = 0; grant < scenario.shards; ++grant) {
    const auto [now, index] = free.top();
    free.pop();
    Worker& worker = workers[index];
    const auto elsewhere = [&](const LoraSet& set) {
      return std::any_of(workers.begin(), workers.end(), [&](const Worker& w) {
        return &w != &worker && (w.cache.Holds(set[0]) || w.fetching == set[0]);
      });
    };
    if (!worker.fetching.empty() && worker.fetched_at <= now) {
      worker.cache.Use(worker.fetching);
    }
    HeldLoras held = worker.cache.All();
    if (!worker.fetching.empty()) held.insert(worker.fetching);
    int64_t shard = line.front();
    if (placement == Placement::kQueue) {
      line.pop_front();
    } else {
      shard = *queue.Pop(held, elsewhere);
    }
    outcome.longest = std::max(outcome.longest, grant - shard);
    const std::string& lora = names[shard];
    double start = now;
    if (worker.cache.Holds(lora)) {
      ++outcome.hits;
    } else if (worker.fetching == lora) {
      start = std::max(start, worker.fetched_at);
    } else {
      start += scenario.fetch_seconds;
    }
    worker.cache.Use(lora);
    worker.fetching.clear();
    outcome.idle += start - now;
    if (placement == Placement::kAffinityAndPrefetch) {
      const LoraSet next = queue.LikelyNext(worker.cache.All(), elsewhere);
      if (!next.empty()) {
        worker.fetching = next[0];
        worker.fetched_at = start + scenario.fetch_seconds;
      }
    }
    const double end = start + scenario.shard_seconds;
    outcome.end = std::max(outcome.end, end);
    free.emplace(end, index);
  }
  return outcome;
}

void Print(const char* name, const Scenario& scenario, Placement placement) {
  const Outcome outcome = Simulate(scenario, placement);
  std::printf("%-24s %7.1f %% %9.1f %% %8.2f h %14lld\n", name,
              100.0 * static_cast<double>(outcome.hits) / scenario.shards,
              100.0 * outcome.idle /
                  (outcome.idle + scenario.shards * scenario.shard_seconds),
              outcome.end / 3600, static_cast<long long>(outcome.longest));
}

}  // namespace
}  // namespace tessera::coordinator

int main() {
  using tessera::coordinator::Placement;
  const tessera::coordinator::Scenario scenario;
  std::printf(
      "%d LoRAs (Zipf %.1f), %d workers, %zu LoRAs a node, %d shards of %.0f "
      "s, "
      "%.0f s to fetch a LoRA\n\n",
      scenario.loras, scenario.zipf, scenario.workers, scenario.cache,
      scenario.shards, scenario.shard_seconds, scenario.fetch_seconds);
  std::printf("%-24s %9s %11s %10s %14s\n", "placement", "hits", "UNet idle",
              "wall", "longest wait");
  Print("in order", scenario, Placement::kQueue);
  Print("affinity", scenario, Placement::kAffinity);
  Print("affinity and prefetch", scenario, Placement::kAffinityAndPrefetch);
  return 0;
}
