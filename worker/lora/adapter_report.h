// What came of a LoRA file when it met a model.
#ifndef TESSERA_WORKER_LORA_ADAPTER_REPORT_H_
#define TESSERA_WORKER_LORA_ADAPTER_REPORT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace tessera::lora {

// A key that found no place in the model.
struct UnmatchedKey {
  std::string key;
  std::string why;  // a phrase, such as "the model has no such layer"
};

// Counts of one file and one model.
struct AdapterReport {
  std::string file;
  std::string dialect;       // recognised, for people
  int64_t keys = 0;          // all of the file
  int64_t matched_keys = 0;  // whose layer was found, with the right shape
  std::vector<UnmatchedKey> unmatched;
  std::map<std::string, int64_t> layers_by_kind;  // that were matched
  std::map<std::string, int64_t> layers_by_net;
  std::string base_mismatch;  // why it is of another base model; empty: it
                              // may be of this one
  int64_t bytes = 0;          // of the parsed adapter in memory
};

// Returns OK when every key matched. Otherwise INVALID_ARGUMENT with how many
// of how many matched, the dialect, the first unmatched keys with their
// reasons, and that the base model is another where it is.
absl::Status VerdictOn(const AdapterReport& report);

// Returns how many of how many keys matched and the first unmatched ones with
// their reasons, in one line; empty when every key matched.
std::string UnmatchedText(const AdapterReport& report);

// Returns the report as lines of text, each ended, with at most `most_keys`
// unmatched keys.
std::string RenderReport(const AdapterReport& report, int64_t most_keys);

}  // namespace tessera::lora

#endif  // TESSERA_WORKER_LORA_ADAPTER_REPORT_H_
