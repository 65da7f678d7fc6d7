// Feeds a prompts file in pieces cut anywhere. However it is cut, however
// little memory the ids have and however lines end, the outcome is the same;
// what is accepted lies in the ranges of coordinator/field_rules.h.
//
// Input: one byte of options, one that counts the cuts (mod 16), a byte for
// each cut, the file.
//   options bits 0 to 2   ids kept in memory, less one
//   options bit 7         where the first '~' of the file is: blanks instead,
//                         until its line has the longest length, less 8, plus
//                         bits 3 to 6
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "common/check.h"
#include "coordinator/field_rules.h"
#include "coordinator/prompt_file.h"

namespace tessera::coordinator {
namespace {

// What the first bytes of an input choose.
struct Plan {
  size_t memory_ids = 1;
  size_t line_bytes = 0;      // of the line with the first '~'; 0: as it is
  std::vector<uint8_t> cuts;  // used round and round; none: one piece
  std::string_view file;
};

// What a file became.
struct Outcome {
  absl::Status status;
  std::vector<PromptLine> items;
  int64_t lines = 0;
};

// Splits an input as the head of this file says.
Plan ReadPlan(std::string_view input) {
  Plan plan;
  if (input.size() < 2) return plan;
  const auto options = static_cast<uint8_t>(input[0]);
  plan.memory_ids = 1 + options % 8;
  if (options & 0x80) plan.line_bytes = kMaxLineBytes - 8 + options / 8 % 16;
  const size_t cuts =
      std::min<size_t>(static_cast<uint8_t>(input[1]) % 16, input.size() - 2);
  plan.cuts = {input.begin() + 2, input.begin() + 2 + cuts};
  plan.file = input.substr(2 + cuts);
  return plan;
}

// Replaces the first '~' by blanks until its line has `line_bytes`.
std::string Expand(std::string_view file, size_t line_bytes) {
  std::string text(file);
  const size_t mark = text.find('~');
  if (line_bytes == 0 || mark == text.npos) return text;
  const size_t begin = text.rfind('\n', mark) + 1;  // npos + 1 is 0
  const size_t end = std::min(text.find('\n', mark), text.size());
  const size_t length = end - begin;
  return text.replace(mark, 1, std::max(line_bytes, length) - length + 1, ' ');
}

// Feeds `text` in pieces of 1 + cut² / 2 bytes, an empty one before each whose
// cut is odd.
Outcome Feed(std::string_view text, size_t memory_ids,
             const std::vector<uint8_t>& cuts) {
  Outcome outcome;
  PromptFileOptions options;
  options.line.known_loras = {"ink", "pixel"};
  options.memory_ids = memory_ids;
  PromptFile file(options, [&](PromptLine line) {
    outcome.items.push_back(std::move(line));
    return absl::OkStatus();
  });
  for (size_t i = 0; !text.empty() && outcome.status.ok(); ++i) {
    const size_t cut = cuts.empty() ? 0 : cuts[i % cuts.size()];
    const size_t size = cuts.empty() ? text.size() : 1 + cut * cut / 2;
    if (cut % 2 == 1) CHECK(file.Add({}).ok());
    outcome.status = file.Add(text.substr(0, size));
    text.remove_prefix(std::min(size, text.size()));
  }
  if (outcome.status.ok()) outcome.status = file.Finish();
  outcome.lines = file.lines();
  return outcome;
}

// Compares every field of two lines.
bool Equal(const PromptLine& a, const PromptLine& b) {
  const auto fields = [](const PromptLine& line) {
    return std::tie(line.line, line.custom_id, line.prompt,
                    line.negative_prompt, line.seed, line.num_images_per_prompt,
                    line.num_inference_steps, line.guidance_scale, line.width,
                    line.height, line.sampler, line.loras);
  };
  return fields(a) == fields(b);
}

// Checks that two ways of feeding a file came to the same.
void CheckEqual(const Outcome& a, const Outcome& b) {
  CHECK(a.status == b.status);
  CHECK(a.lines == b.lines);
  CHECK(std::equal(a.items.begin(), a.items.end(), b.items.begin(),
                   b.items.end(), Equal));
}

// Checks a width or height; 0 stands for the model's own.
void CheckSide(int pixels) {
  CHECK(pixels == 0 || (pixels >= 64 && pixels <= 4096 && pixels % 8 == 0));
}

// Checks the ranges of one accepted line.
void CheckLine(const PromptLine& line) {
  CHECK(line.prompt.size() <= kMaxPromptBytes);
  CHECK(line.prompt.find('\0') == line.prompt.npos);
  CHECK(line.negative_prompt.size() <= kMaxPromptBytes);
  CHECK(!line.custom_id.empty() && line.custom_id.size() <= 64);
  CHECK(line.custom_id.find_first_of("/\\\n\r ") == line.custom_id.npos);
  CHECK(line.num_images_per_prompt >= 1 && line.num_images_per_prompt <= 1024);
  CHECK(line.num_inference_steps >= 1 && line.num_inference_steps <= 1000);
  CHECK(line.guidance_scale >= 0 && line.guidance_scale <= 100);
  CheckSide(line.width);
  CheckSide(line.height);
  CHECK(line.loras.size() <= kMaxLoras);
  for (const LoraUse& use : line.loras) {
    CHECK(use.name == "ink" || use.name == "pixel");
    CHECK(std::isfinite(use.scale));
  }
}

// Checks what holds for every file, good or bad.
void CheckOutcome(const Outcome& outcome) {
  std::set<std::string> ids;
  for (size_t i = 0; i < outcome.items.size(); ++i) {
    CheckLine(outcome.items[i]);
    // Nothing is handed on after a bad line, so no index is left out.
    CHECK(outcome.items[i].line == static_cast<int64_t>(i));
    ids.insert(outcome.items[i].custom_id);
  }
  if (!outcome.status.ok()) {
    CHECK(absl::IsInvalidArgument(outcome.status));
    return;
  }
  CHECK(ids.size() == outcome.items.size());
  CHECK(outcome.lines == static_cast<int64_t>(outcome.items.size()));
  CHECK(outcome.lines > 0);
}

// Returns `text` with CRLF for every LF.
std::string WithCarriageReturns(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') result += '\r';
    result += c;
  }
  return result;
}

// Feeds one file in all ways and compares.
void CheckFile(std::string_view input) {
  const Plan plan = ReadPlan(input);
  const std::string text = Expand(plan.file, plan.line_bytes);
  const Outcome whole = Feed(text, plan.memory_ids, {});
  CheckOutcome(whole);
  CheckEqual(whole, Feed(text, plan.memory_ids, plan.cuts));

  // With ids on disk duplicates are found later: other messages, same verdict.
  const Outcome in_memory = Feed(text, 1 << 20, {});
  CheckOutcome(in_memory);
  CHECK(in_memory.status.ok() == whole.status.ok());

  const bool long_line = plan.line_bytes > 0;  // a lot of time for little
  if (!long_line && text.find('\r') == text.npos) {
    CheckEqual(whole,
               Feed(WithCarriageReturns(text), plan.memory_ids, plan.cuts));
  }
}

}  // namespace
}  // namespace tessera::coordinator

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tessera::coordinator::CheckFile({reinterpret_cast<const char*>(data), size});
  return 0;
}
