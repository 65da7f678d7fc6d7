#include "client/transfer_progress.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tessera::client {
namespace {

// A log file wants few lines, a terminal a lively bar.
constexpr absl::Duration kLineInterval = absl::Seconds(3);
constexpr absl::Duration kBarInterval = absl::Milliseconds(100);
constexpr int kNarrowestBar = 10;
constexpr int kWidestBar = 50;

// Returns "12.0 MB / 24.0 MB  50%".
std::string Amounts(int64_t done, int64_t total) {
  return absl::StrFormat("%s / %s %3d%%", ShortBytes(done), ShortBytes(total),
                         100 * done / total);
}

}  // namespace

std::string ShortBytes(int64_t bytes) {
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes);
  for (const char* unit : {"kB", "MB", "GB"}) {
    value /= 1000;
    // 999.95 would be shown as 1000.0: that is the next unit's.
    if (value < 999.95) return absl::StrFormat("%.1f %s", value, unit);
  }
  return absl::StrFormat("%.1f TB", value / 1000);
}

std::string FormatTransferBar(int64_t done, int64_t total, int columns) {
  const std::string text = absl::StrCat(" ", Amounts(done, total));
  // Two brackets, and one column that stays free so that nothing wraps.
  const int room = columns - static_cast<int>(text.size()) - 3;
  const int width = std::clamp(room, kNarrowestBar, kWidestBar);
  const int filled = static_cast<int>(width * done / total);
  return absl::StrCat("[", std::string(filled, '#'),
                      std::string(width - filled, '-'), "]", text);
}

TransferProgress::TransferProgress(ProgressStyle style, int64_t total,
                                   int columns, std::ostream& out, Clock& clock)
    : style_(style),
      total_(total),
      columns_(columns),
      out_(out),
      clock_(clock) {}

void TransferProgress::Show(int64_t done) {
  // Shown once: a repeated value would make a log file longer, not truer.
  if (style_ == ProgressStyle::kJson || done == last_done_) return;
  const absl::Time now = clock_.Now();
  const bool bar = style_ == ProgressStyle::kBar;
  // The end is always shown, so that the last thing seen is true.
  if (done < total_ &&
      now - last_time_ < (bar ? kBarInterval : kLineInterval)) {
    return;
  }
  if (bar) {
    // Return, text, clear to the end: no flicker and no rest of a longer bar.
    out_ << '\r' << FormatTransferBar(done, total_, columns_) << "\x1b[K"
         << std::flush;
    bar_drawn_ = true;
  } else {
    out_ << "sent " << Amounts(done, total_) << std::endl;
  }
  last_time_ = now;
  last_done_ = done;
}

void TransferProgress::Note(const std::string& line) {
  if (style_ == ProgressStyle::kJson) return;
  // Clears the line of the bar, which the next Show draws again below.
  if (bar_drawn_) out_ << "\r\x1b[K";
  bar_drawn_ = false;
  out_ << line << std::endl;
}

void TransferProgress::End() {
  if (bar_drawn_) out_ << std::endl;
  bar_drawn_ = false;
}

}  // namespace tessera::client
