// How a job's progress is shown while it runs.
#ifndef TESSERA_CLIENT_PROGRESS_H_
#define TESSERA_CLIENT_PROGRESS_H_

#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "tessera/v1/job.pb.h"

namespace tessera::client {

enum class ProgressStyle {
  kBar,    // one line, drawn again in place: a terminal
  kLines,  // a plain line every few seconds: a log file
  kJson,   // a JSON object a line for every change
};

// Estimates the rate of a job from the counts that were seen. Pictures made
// before the first sight do not count. Thread-compatible.
class RateEstimate {
 public:
  // Takes note that `ended` pictures had ended at `now`.
  void Observe(int64_t ended, absl::Time now);

  // Returns pictures a second over the time observed; 0 while unknown.
  double PerSecond() const;

 private:
  std::optional<int64_t> first_ended_;
  int64_t ended_ = 0;
  absl::Time first_time_;
  absl::Time time_;
};

// Returns the time as "41s", "3m20s" or "2h05m".
std::string ShortDuration(absl::Duration duration);

// Returns the bar, `columns` wide, without the return that precedes it:
// "[#####-----] 12/48  1.5/s  ETA 24s  2 failed". `rate` is pictures a second.
std::string FormatBar(const v1::Job& job, double rate, int columns);

// Returns the plain line, such as "RUNNING 12/48 done, 1.50/s, ETA 24s".
std::string FormatLine(const v1::Job& job, double rate);

// Returns the last line about a job: how it ended, counts, folder.
std::string FormatSummary(const v1::Job& job);

// Shows the states of one job on a stream. Thread-compatible.
class Progress {
 public:
  // `columns` is the width of the terminal; only the bar needs it.
  Progress(ProgressStyle style, int columns, std::ostream& out, Clock& clock);

  // Shows `job` if it changed enough since the last time.
  void Show(const v1::Job& job);

  // Says once, until the next Show, that the service does not answer.
  void ShowAway(const absl::Status& reason);

  // Says something in between: a line above the bar.
  void Note(const std::string& line);

  // Ends the bar's line, so that other text can follow.
  void End();

 private:
  void ShowWarnings(const v1::Job& job);
  void ClearBar();

  ProgressStyle style_;
  int columns_;
  std::ostream& out_;
  Clock& clock_;
  RateEstimate rate_;
  std::string last_shown_;
  absl::Time last_time_ = absl::InfinitePast();
  bool bar_drawn_ = false;
  bool away_ = false;
  int warnings_shown_ = 0;
  std::string message_shown_;
};

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_PROGRESS_H_
