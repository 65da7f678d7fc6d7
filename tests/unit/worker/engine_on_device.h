// The real engine on a device whose queue or memory a test plays.
#ifndef TESSERA_TESTS_UNIT_WORKER_ENGINE_ON_DEVICE_H_
#define TESSERA_TESTS_UNIT_WORKER_ENGINE_ON_DEVICE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "kernels/cpu/op_table.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"
#include "tests/unit/worker/lora/counting_events.h"
#include "worker/lora_store.h"
#include "worker/text_to_image_engine.h"

namespace tessera::worker {

// The CPU where a GPU would be: ops have ended when they return and are not
// recorded. Tests override what goes wrong.
class CpuBackend : public kernels::DeviceBackend {
 public:
  kernels::Memory& memory() override { return kernels::HostMemory(); }
  absl::Status Synchronize() override { return absl::OkStatus(); }
  absl::Status health() const override { return absl::OkStatus(); }
  bool can_record() const override { return false; }
  absl::Status BeginRecording() override {
    return absl::UnimplementedError("does not record");
  }
  absl::StatusOr<std::unique_ptr<kernels::Recording>> EndRecording() override {
    return absl::UnimplementedError("does not record");
  }
};

// The demo model's engine for `batch` pictures on a device with `backend`, and
// all that it borrows; no LoRA is known.
class EngineOnDevice {
 public:
  EngineOnDevice(std::shared_ptr<CpuBackend> backend, int batch)
      : device_({.name = "played",
                 .ops = kernels::cpu::Ops(),
                 .pool = std::make_shared<kernels::cpu::ThreadPool>(1),
                 .backend = std::move(backend)}),
        loras_(
            {.files = {}, .memory_bytes = 1},
            [](const std::string&, const lora::ModelLayers&,
               const lora::AdapterOptions&)
                -> absl::StatusOr<lora::BoundAdapter> {
              return absl::NotFoundError("no LoRAs here");
            },
            /*node=*/nullptr, events_),
        engine_(LoadTextToImageEngine(
            "emoji-sd",
            std::string(TESSERA_SOURCE_DIR) + "/deploy/local/models/emoji-sd",
            batch, device_, loras_)) {}

  // The engine, or why the model was not loaded.
  const absl::StatusOr<std::unique_ptr<Engine>>& engine() const {
    return engine_;
  }

 private:
  kernels::Device device_;
  lora::CountingEvents events_;
  LoraStore loras_;
  const absl::StatusOr<std::unique_ptr<Engine>> engine_;
};

}  // namespace tessera::worker

#endif  // TESSERA_TESTS_UNIT_WORKER_ENGINE_ON_DEVICE_H_
