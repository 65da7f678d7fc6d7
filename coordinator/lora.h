// What the coordinator knows of LoRAs, as plain values.
#ifndef TESSERA_COORDINATOR_LORA_H_
#define TESSERA_COORDINATOR_LORA_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/time/time.h"

namespace tessera::coordinator {

// How a LoRA is called: by its name, which means the newest version, or with a
// digest, which means one version for ever.
struct LoraName {
  std::string name;    // 1 to 128 of [A-Za-z0-9._-], not starting with a dot
  std::string sha256;  // lower-case hexadecimal; empty: the newest

  friend auto operator<=>(const LoraName&, const LoraName&) = default;
};

// What was found in a LoRA's file before it was accepted.
struct LoraFacts {
  std::string dialect;  // how its keys are named, such as "kohya"
  int32_t layers = 0;   // layers it changes
};

// One version of a registered LoRA: a name given to a file.
struct Lora {
  std::string name;
  std::string sha256;
  int64_t size_bytes = 0;
  LoraFacts facts;
  absl::Time create_time = absl::InfinitePast();  // when it was first pushed
  // Grows with every push; the version of a name with the largest is the
  // newest.
  int64_t number = 0;
};

// A version that a job was promised when it was accepted.
struct LoraPin {
  std::string name;
  std::string sha256;

  friend auto operator<=>(const LoraPin&, const LoraPin&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const LoraPin& pin) {
    return H::combine(std::move(state), pin.name, pin.sha256);
  }
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_LORA_H_
