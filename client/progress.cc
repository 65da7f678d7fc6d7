#include "client/progress.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/exit_codes.h"
#include "client/job_json.h"

namespace tessera::client {
namespace {

// A log file wants few lines, a terminal a lively bar.
constexpr absl::Duration kLineInterval = absl::Seconds(3);
constexpr absl::Duration kBarInterval = absl::Milliseconds(100);
// Below this the rate says more about the clock than about the job.
constexpr absl::Duration kShortestObservation = absl::Milliseconds(200);
// A narrower bar tells nothing: then the line may be wider than the terminal.
constexpr int kNarrowestBar = 10;
// A wider one tells no more.
constexpr int kWidestBar = 50;

// Counts what will not be waited for any more, failed and cancelled included.
int64_t Ended(const v1::Job& job) {
  return job.images().total() - job.images().waiting();
}

// Returns ", ETA 24s" or nothing while it is unknown.
std::string Eta(const v1::Job& job, double rate) {
  // Unknown while nothing was made: a guess would only be wrong.
  if (rate <= 0 || job.images().waiting() <= 0) return "";
  const double seconds = static_cast<double>(job.images().waiting()) / rate;
  return ShortDuration(absl::Seconds(seconds));
}

}  // namespace

void RateEstimate::Observe(int64_t ended, absl::Time now) {
  // Later sights of the same job only move the end of the span.
  if (!first_ended_.has_value()) {
    first_ended_ = ended;
    first_time_ = now;
  }
  ended_ = ended;
  time_ = now;
}

double RateEstimate::PerSecond() const {
  if (!first_ended_.has_value() || time_ - first_time_ < kShortestObservation) {
    // A watch that began in the middle counts from there on.
    return 0;
  }
  const double seconds = absl::ToDoubleSeconds(time_ - first_time_);
  return static_cast<double>(ended_ - *first_ended_) / seconds;
}

std::string ShortDuration(absl::Duration duration) {
  // Rounded up: "0s" left would be a lie.
  const double exact = std::ceil(absl::ToDoubleSeconds(duration));
  // A hundred days is as good as never.
  const int64_t seconds = static_cast<int64_t>(std::clamp(exact, 0.0, 8.64e6));
  if (seconds < 60) return absl::StrCat(seconds, "s");
  if (seconds < 3600) {
    return absl::StrFormat("%dm%02ds", seconds / 60, seconds % 60);
  }
  return absl::StrFormat("%dh%02dm", seconds / 3600, seconds % 3600 / 60);
}

std::string FormatBar(const v1::Job& job, double rate, int columns) {
  // At least one, as it divides.
  const int64_t total = std::max<int64_t>(job.images().total(), 1);
  const int64_t ended = std::clamp<int64_t>(Ended(job), 0, total);
  std::string text =
      absl::StrCat(" ", job.images().done(), "/", job.images().total());
  if (rate > 0) absl::StrAppendFormat(&text, "  %.2f/s", rate);
  if (const std::string eta = Eta(job, rate); !eta.empty()) {
    absl::StrAppend(&text, "  ETA ", eta);
  }
  if (job.images().failed() > 0) {
    absl::StrAppend(&text, "  ", job.images().failed(), " failed");
  }
  // The commonest reason for a bar that does not move at the start.
  if (job.state() == v1::JOB_STATE_QUEUED) text += "  waiting for a worker";
  // Three characters: the brackets, and one left free so that the cursor does
  // not wrap.
  const int room = columns - static_cast<int>(text.size()) - 3;
  const int width = std::clamp(room, kNarrowestBar, kWidestBar);
  const int filled = static_cast<int>(width * ended / total);
  return absl::StrCat("[", std::string(filled, '#'),
                      std::string(width - filled, '-'), "]", text);
}

std::string FormatLine(const v1::Job& job, double rate) {
  std::string text =
      absl::StrCat(StateName(job.state()), " ", job.images().done(), "/",
                   job.images().total(), " done");
  if (job.images().failed() > 0) {
    absl::StrAppend(&text, ", ", job.images().failed(), " failed");
  }
  if (rate > 0) absl::StrAppendFormat(&text, ", %.2f/s", rate);
  if (const std::string eta = Eta(job, rate); !eta.empty()) {
    absl::StrAppend(&text, ", ETA ", eta);
  }
  return text;
}

std::string FormatSummary(const v1::Job& job) {
  std::string text = absl::StrCat(job.job_id(), ": ", StateName(job.state()),
                                  ", ", job.images().done(), " of ",
                                  job.images().total(), " pictures");
  if (job.images().failed() > 0) {
    absl::StrAppend(&text, ", ", job.images().failed(), " failed");
  }
  if (job.images().cancelled() > 0) {
    absl::StrAppend(&text, ", ", job.images().cancelled(), " cancelled");
  }
  // The folder last, where a person looks for it.
  absl::StrAppend(&text, " in ", job.output_uri());
  if (!job.message().empty()) absl::StrAppend(&text, " (", job.message(), ")");
  return text;
}

Progress::Progress(ProgressStyle style, int columns, std::ostream& out,
                   Clock& clock)
    : style_(style), columns_(columns), out_(out), clock_(clock) {}

void Progress::Show(const v1::Job& job) {
  const absl::Time now = clock_.Now();
  rate_.Observe(Ended(job), now);
  away_ = false;
  ShowWarnings(job);
  // The service's own rate covers the last minute and all watchers agree on it;
  // ours fills in until it has one.
  const double rate =
      job.images_per_second() > 0 ? job.images_per_second() : rate_.PerSecond();
  // The last state is always shown, however soon it comes.
  const bool last = IsTerminal(job.state());
  const absl::Duration since = now - last_time_;
  std::string text;
  switch (style_) {
    case ProgressStyle::kBar:
      if (!last && since < kBarInterval) return;
      text = FormatBar(job, rate, columns_);
      if (text == last_shown_) return;
      // Return, text, erase the rest: the line before may have been longer.
      out_ << '\r' << text << "\x1b[K" << std::flush;
      bar_drawn_ = true;
      break;
    case ProgressStyle::kLines:
      if (!last && since < kLineInterval) return;
      text = FormatLine(job, rate);
      if (text == last_shown_) return;
      out_ << text << std::endl;
      break;
    case ProgressStyle::kJson:
      text = ToJson(job);
      // Each change at once: the consumer is a program.
      if (text == last_shown_) return;
      out_ << text << std::endl;
      break;
  }
  last_shown_ = text;
  last_time_ = now;
}

// Says each warning once, when it comes, and why a job waits when that changes.
void Progress::ShowWarnings(const v1::Job& job) {
  // JSON has both in each job.
  if (style_ == ProgressStyle::kJson) return;
  for (; warnings_shown_ < job.warnings_size(); ++warnings_shown_) {
    Note(absl::StrCat("warning: ", job.warnings(warnings_shown_)));
  }
  // The last line of a job has its message.
  if (IsTerminal(job.state()) || job.message() == message_shown_) return;
  message_shown_ = job.message();
  if (!message_shown_.empty()) Note(message_shown_);
}

void Progress::ShowAway(const absl::Status& reason) {
  // Once an absence, not once a try.
  if (away_) return;
  away_ = true;
  // A consumer of JSON gets jobs only; the exit code tells the rest.
  if (style_ == ProgressStyle::kJson) return;
  Note(absl::StrCat("the coordinator does not answer, trying again: ",
                    std::string(reason.message())));
}

void Progress::Note(const std::string& line) {
  // A note takes the bar's line; the bar is drawn again below it.
  ClearBar();
  out_ << line << std::endl;
}

void Progress::End() {
  if (bar_drawn_) out_ << std::endl;
  bar_drawn_ = false;
}

// Erases the bar and forgets it, so that it is drawn again even when nothing
// has changed.
void Progress::ClearBar() {
  if (bar_drawn_) out_ << "\r\x1b[K";
  bar_drawn_ = false;
  last_shown_.clear();
}

}  // namespace tessera::client
