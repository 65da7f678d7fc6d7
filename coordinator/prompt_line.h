// One line of a prompts file: JSON in, validated values out.
#ifndef TESSERA_COORDINATOR_PROMPT_LINE_H_
#define TESSERA_COORDINATOR_PROMPT_LINE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "coordinator/generation.h"
#include "coordinator/lora_resolver.h"

namespace tessera::coordinator {

// What the lines of one job have in common.
struct PromptLineOptions {
  // Used where a line is silent. Validated by whoever decoded the request.
  GenerationDefaults defaults;
  // LoRAs that lines may name although they are not registered.
  absl::flat_hash_set<std::string> known_loras;
  // Finds the others, and outlives the parser; null when there is no registry.
  LoraResolver* registry = nullptr;
};

// Fills in what `use` means to a job with these options; see LoraResolver.
absl::Status ResolveLora(const PromptLineOptions& options, LoraUse& use);

// Parses lines; keeps its buffers between them. Thread-compatible.
class PromptLineParser {
 public:
  explicit PromptLineParser(PromptLineOptions options);
  ~PromptLineParser();

  // Returns the line's values with defaults filled in; `line` of the result is
  // 0, and `custom_id` empty where the line has none.
  //
  // Errors: INVALID_ARGUMENT "field: reason", or the reason alone when the
  // line as a whole is bad (UTF-8, JSON, not an object). A field that is
  // unknown or given twice is an error too. Other errors are the registry's.
  absl::StatusOr<PromptLine> Parse(std::string_view text);

 private:
  struct Buffers;

  const PromptLineOptions options_;
  const std::unique_ptr<Buffers> buffers_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_PROMPT_LINE_H_
