// How large the inputs of a net's linear layers get.
#ifndef TESSERA_WORKER_MODEL_INPUT_RANGES_H_
#define TESSERA_WORKER_MODEL_INPUT_RANGES_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace tessera::model {

// The file in a net's folder that says so; with it the net's linear layers are
// multiplied in 8 bits where a device can.
inline constexpr char kInputRangesFile[] = "fp8_inputs.txt";

// The largest |input| of layers, by name, as calibration has seen it.
class InputRanges {
 public:
  // Reads lines "NAME VALUE", each a layer and a positive number. Errors:
  // INVALID_ARGUMENT with `path` and the number of the first other line.
  static absl::StatusOr<InputRanges> Parse(std::string_view text,
                                           const std::string& path);

  // Widens the range of a layer.
  void Widen(const std::string& name, float largest);

  // Returns the largest input of layers that read the same one; nothing unless
  // all are known.
  std::optional<float> Find(const std::vector<std::string>& names) const;

  // Returns the lines of a file.
  std::string Format() const;

 private:
  std::map<std::string, float, std::less<>> largest_;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_INPUT_RANGES_H_
