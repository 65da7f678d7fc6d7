#include <algorithm>

#include "absl/strings/str_format.h"
#include "client/commands/lora.h"
#include "client/job_json.h"
#include "client/lora_client.h"
#include "client/transfer_progress.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// The largest page that the service gives.
constexpr int64_t kLargestPage = 1000;
// Enough of a digest to tell versions apart at a glance.
constexpr size_t kShownDigits = 12;

// Prints one LoRA as a line.
void Print(const v1::Lora& lora, const Arguments& arguments,
           std::ostream& out) {
  if (arguments.Has("json")) {
    out << ToJson(lora) << "\n";
    return;
  }
  out << absl::StrFormat("%-32s %s %10s %4d layers  %s%s\n", lora.name(),
                         lora.sha256().substr(0, kShownDigits),
                         ShortBytes(lora.size_bytes()), lora.layers(),
                         lora.dialect(), lora.in_use() ? "  in use" : "");
}

// Prints page after page until there are no more, or enough.
absl::Status List(const Arguments& arguments, CommandContext& context) {
  ASSIGN_OR_RETURN(const auto limit, arguments.Integer("limit", 1, INT64_MAX));
  ASSIGN_OR_RETURN(ClientOptions options,
                   OptionsFrom(arguments, context, nullptr));
  LoraClient client = ConnectLoras(std::move(options), context.clock);
  int64_t left = limit.value_or(INT64_MAX);
  v1::ListLorasRequest request;
  do {
    // No larger than what is still wanted.
    request.set_page_size(static_cast<int32_t>(std::min(left, kLargestPage)));
    ASSIGN_OR_RETURN(const v1::ListLorasResponse page, client.List(request));
    for (const v1::Lora& lora : page.loras()) {
      if (left-- > 0) Print(lora, arguments, context.out);
    }
    request.set_page_token(page.next_page_token());
  } while (left > 0 && !request.page_token().empty());
  // Once, not a line: ten thousand lines are common.
  context.out << std::flush;
  return absl::OkStatus();
}

// Runs the action and returns the exit code.
int Run(const Arguments& arguments, CommandContext& context) {
  const absl::Status status = List(arguments, context);
  return status.ok() ? kExitDone : Report(status, context);
}

}  // namespace

Command LoraListCommand() {
  return {{"lora list",
           "",
           "lists what each name means, by name",
           {{"limit", "N", "how many at most; default all"}}},
          Run,
          {}};
}

}  // namespace tessera::client
