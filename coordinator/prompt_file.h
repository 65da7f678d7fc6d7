// A prompts file as it arrives: bytes cut anywhere in, accepted lines out.
#ifndef TESSERA_COORDINATOR_PROMPT_FILE_H_
#define TESSERA_COORDINATOR_PROMPT_FILE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "coordinator/generation.h"
#include "coordinator/prompt_line.h"
#include "coordinator/unique_ids.h"

namespace tessera::coordinator {

// Longest line of a prompts file, without its end.
inline constexpr size_t kMaxLineBytes = 1 << 20;

struct PromptFileOptions {
  PromptLineOptions line;
  // Ids remembered in memory before they go to a temporary file: 64 MB.
  size_t memory_ids = 1 << 20;
};

// Cuts a stream of bytes into lines, validates each and hands it on.
//
// Lines end with LF or CRLF, the last one also with the file. Blank lines are
// skipped; they count for line numbers (from 1, in messages) but not for line
// indices (from 0, the implicit custom_id). A byte order mark is ignored.
//
// Errors are collected, one message a line, "line 2: width: must be …"; after
// the first nothing more is handed on, and after ten Add returns them.
// Memory: the longest line and `memory_ids`. Thread-compatible.
class PromptFile {
 public:
  // Takes an accepted line. Its error ends the file: Add and Finish return it.
  using Sink = std::function<absl::Status(PromptLine)>;

  PromptFile(PromptFileOptions options, Sink sink);

  // Appends bytes. Errors: INVALID_ARGUMENT after ten bad lines; the sink's
  // and the registry's.
  // Do not call again after an error.
  absl::Status Add(std::string_view bytes);

  // Ends the file. Errors: INVALID_ARGUMENT for bad lines, or when the file
  // has no prompts; the sink's.
  absl::Status Finish();

  // Returns how many lines were not blank so far.
  int64_t lines() const { return lines_; }

 private:
  absl::Status EndLine(std::string_view line);
  absl::Status Accept(PromptLine line);
  void Complain(int64_t line_number, std::string_view reason);
  absl::Status Complaints() const;

  PromptLineParser parser_;
  UniqueIds ids_;
  const Sink sink_;
  std::string partial_;      // the line that is not complete yet
  bool too_long_ = false;    // it passed the limit and is not kept
  int64_t line_number_ = 0;  // of the last complete line, from 1
  int64_t lines_ = 0;
  std::vector<std::string> complaints_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_PROMPT_FILE_H_
