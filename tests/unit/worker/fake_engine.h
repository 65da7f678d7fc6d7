// An engine whose pictures need as many steps as they ask for and no model.
#ifndef TESSERA_TESTS_UNIT_WORKER_FAKE_ENGINE_H_
#define TESSERA_TESTS_UNIT_WORKER_FAKE_ENGINE_H_

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "worker/engine.h"

namespace tessera::worker {

// Prompts decide what happens: "bad" is refused, "long" has no room beside
// others, "large" has none at its last step, "nan" comes to nothing.
class FakeEngine final : public Engine {
 public:
  const ModelFacts& facts() const override { return facts_; }

  absl::StatusOr<std::vector<std::string>> Admit(
      int64_t ticket, const ImageTask& task) override {
    if (task.prompt == "bad") return absl::InvalidArgumentError("bad prompt");
    if (task.prompt == "long" && !running_.empty()) {
      return absl::ResourceExhaustedError("no memory");
    }
    const int width = task.width == 0 ? facts_.width : task.width;
    const int height = task.height == 0 ? facts_.height : task.height;
    for (const auto& [other, running] : running_) {
      if (running.width != width || running.height != height) {
        return absl::FailedPreconditionError("sizes differ");
      }
    }
    running_[ticket] = {task.num_inference_steps, width, height,
                        task.prompt == "nan", task.prompt == "large"};
    return warnings;
  }

  std::vector<model::Finished> Step() override {
    if (on_step) on_step();
    std::vector<int64_t> tickets;
    std::vector<model::Finished> finished;
    if (running_.size() > fits || !lost.ok()) {
      const absl::Status error =
          lost.ok() ? absl::ResourceExhaustedError("no memory") : lost;
      for (const auto& [ticket, running] : running_) {
        finished.push_back({ticket, error, 0});
      }
      running_.clear();
      return finished;
    }
    for (auto& [ticket, running] : running_) {
      tickets.push_back(ticket);
      if (--running.steps > 0) continue;
      if (running.large && running_.size() > 1) {
        finished.push_back({ticket, absl::ResourceExhaustedError("full"), 0});
        continue;
      }
      finished.push_back({ticket, Make(running), 0.25});
    }
    for (const auto& one : finished) running_.erase(one.ticket);
    steps.push_back(std::move(tickets));
    seconds_.denoise += 0.5;
    ++seconds_.unet_calls;
    return finished;
  }

  void Remove(int64_t ticket) override { running_.erase(ticket); }

  model::StageSeconds seconds() const override { return seconds_; }

  absl::Status health() const override { return lost; }

  size_t size() const { return running_.size(); }

  size_t fits = 1000;  // pictures that the device has memory for
  absl::Status lost;   // why the device can no longer be used

  std::vector<std::vector<int64_t>> steps;  // the tickets of each step
  std::function<void()> on_step;
  std::vector<std::string> warnings;  // of every picture

 private:
  struct Running {
    int steps = 0;
    int width = 0;
    int height = 0;
    bool not_a_number = false;
    bool large = false;
  };

  static absl::StatusOr<model::Image> Make(const Running& running) {
    if (running.not_a_number) {
      return absl::InternalError("latents are not a number");
    }
    const size_t bytes = size_t{3} * running.width * running.height;
    return model::Image{running.width, running.height,
                        std::vector<uint8_t>(bytes, 128)};
  }

  ModelFacts facts_{"emoji-sd", "0123456789abcdef", "ddim", 16, 16};
  std::map<int64_t, Running> running_;
  model::StageSeconds seconds_;
};

// Gives out one engine under one name.
class FakeEngineSource final : public EngineSource {
 public:
  absl::StatusOr<Engine*> Get(const std::string& name) override {
    if (name != engine.facts().name) {
      return absl::NotFoundError("no such model: " + name);
    }
    return &engine;
  }

  FakeEngine engine;
};

}  // namespace tessera::worker

#endif  // TESSERA_TESTS_UNIT_WORKER_FAKE_ENGINE_H_
