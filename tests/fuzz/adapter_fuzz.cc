// Reads bytes as a LoRA file for a small model, and as one of its keys. What is
// said of a file without a model, with one, and of its keys must agree; what
// is read must fit the model.
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/sha256.h"
#include "kernels/device.h"
#include "tests/fuzz/safetensors_input.h"
#include "worker/lora/adapter_file.h"
#include "worker/lora/inspect.h"
#include "worker/lora/model_layers.h"
#include "worker/lora/name_rules.h"

namespace tessera::lora {
namespace {

using model::AdapterNet;
using model::LayerTensor;

// A budget that no accepted input of this size should need.
constexpr int64_t kMaxBytes = 64 << 20;

// A file without a place in any folder, for what is read by path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes)
      : file_(::memfd_create("lora", MFD_CLOEXEC)) {
    CHECK(file_ >= 0);
    CHECK(::write(file_, bytes.data(), bytes.size()) ==
          static_cast<ssize_t>(bytes.size()));
  }
  ~MemoryFile() { ::close(file_); }

  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Returns where the file can be opened.
  std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  const int file_;
};

// Returns a device of one thread, made once.
kernels::Device& Device() {
  static kernels::Device* const device =
      kernels::CreateCpuDevice(1).value().release();
  return *device;
}

// Returns a model of every kind of layer that the seeds name.
const ModelLayers& Model() {
  static const auto* const model = new ModelLayers(
      "small",
      {{AdapterNet::kUNet, "conv_in", 2, 1, 3, 3, true},
       {AdapterNet::kUNet, "conv_norm_out", 2, 0, 1, 1, true},
       {AdapterNet::kUNet,
        "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q", 2, 3, 1,
        1, false},
       {AdapterNet::kTextEncoder,
        "text_model.encoder.layers.0.self_attn.q_proj", 2, 3, 1, 1, true}});
  return *model;
}

// Checks what is understood of one key.
void CheckKey(std::string_view key) {
  const std::string flat = Flattened(key);
  CHECK(flat.find('.') == flat.npos);
  CHECK(HasLdmName(key) == HasLdmName(flat));
  const std::optional<AdapterKey> parsed = ParseAdapterKey(key);
  if (!parsed.has_value()) return;
  CHECK(!parsed->layer.empty());
  if (parsed->dialect.has_value())
    CHECK(!DialectName(*parsed->dialect).empty());
  CHECK(!PartName(parsed->part).empty());
}

// Returns the model's layer of that name.
const ModelLayer& PlaceOf(AdapterNet net, const std::string& name) {
  for (const ModelLayer& layer : Model().layers()) {
    if (layer.net == net && layer.name == name) return layer;
  }
  CHECK(!"a layer that the model does not have");
  return Model().layers().front();
}

// Checks that a low-rank layer fits its place.
void CheckLayer(const model::AdapterLayer& layer) {
  const ModelLayer& place = PlaceOf(layer.net, layer.name);
  CHECK(std::isfinite(layer.scale));
  CHECK(layer.down.n() >= 1 && layer.down.n() == layer.up.k());
  CHECK(layer.down.k() == place.columns());
  CHECK(layer.up.n() == place.outputs);
}

// Checks that a change fits its place, and computes it.
void CheckChange(const model::LayerChange& change) {
  const ModelLayer& place = PlaceOf(change.net, change.name);
  const int64_t elements = change.tensor == LayerTensor::kBias
                               ? place.outputs
                               : place.outputs * place.columns();
  CHECK(change.change->elements() == elements);
  CHECK(change.tensor == LayerTensor::kWeight || place.has_bias);
  const std::vector<float> pristine(static_cast<size_t>(elements), 0.5f);
  std::vector<double> sum(pristine.size(), 0.0);
  change.change->AddTo(pristine, 1.0, sum);
}

// Checks an adapter that was read: every tensor of the model changes once.
void CheckAdapter(const BoundAdapter& adapter, std::string_view file) {
  const AdapterReport& report = adapter.report;
  CHECK(adapter.weights->digest == Sha256Hex(file));
  CHECK(report.bytes <= kMaxBytes);
  CHECK(report.keys ==
        report.matched_keys + static_cast<int64_t>(report.unmatched.size()));
  std::set<std::tuple<AdapterNet, std::string, LayerTensor>> changed;
  for (const model::AdapterLayer& layer : adapter.weights->layers) {
    CheckLayer(layer);
    CHECK(changed.emplace(layer.net, layer.name, LayerTensor::kWeight).second);
  }
  for (const model::LayerChange& change : adapter.weights->changes) {
    CheckChange(change);
    CHECK(changed.emplace(change.net, change.name, change.tensor).second);
  }
  CHECK(changed.empty() == (report.matched_keys == 0));
}

// Checks that an error is the input's fault and names the file.
void CheckError(const absl::Status& status, const std::string& path) {
  CHECK(absl::IsInvalidArgument(status) || absl::IsResourceExhausted(status));
  CHECK(std::string(status.message()).starts_with(path + ": "));
}

// Reads one file in all ways and compares.
void CheckFile(std::string_view bytes) {
  const MemoryFile file(bytes);
  const auto facts = InspectAdapterFile(file.path());
  const auto bound =
      BindAdapterFile(file.path(), Model(), {.max_bytes = kMaxBytes}, Device());
  const auto read =
      ReadAdapterFile(file.path(), Model(), {.max_bytes = kMaxBytes}, Device());
  if (!facts.ok()) {
    CheckError(facts.status(), file.path());
    CHECK(!bound.ok() && !read.ok());
    return;
  }
  CHECK(facts->layers >= 1 &&
        facts->layers + facts->unknown_keys <= facts->keys);
  CHECK(!facts->dialect.empty());
  if (!bound.ok()) return CheckError(bound.status(), file.path());
  CHECK(bound->report.keys == facts->keys);
  CheckAdapter(*bound, bytes);
  CHECK(read.ok() == bound->report.unmatched.empty());
}

}  // namespace
}  // namespace tessera::lora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  tessera::lora::CheckKey(input);
  tessera::lora::CheckFile(input);
  const std::string fitting = tessera::fuzz::WithFittingHeader(input);
  if (fitting != input) tessera::lora::CheckFile(fitting);
  return 0;
}
