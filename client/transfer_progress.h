// How the progress of a file on its way is shown.
#ifndef TESSERA_CLIENT_TRANSFER_PROGRESS_H_
#define TESSERA_CLIENT_TRANSFER_PROGRESS_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/time/time.h"
#include "client/progress.h"
#include "common/clock.h"

namespace tessera::client {

// Returns a number of bytes for a person: "812 B", "1.5 MB" (of 10^6).
std::string ShortBytes(int64_t bytes);

// Returns "[#####-----] 12.0 MB / 24.0 MB  50%", `columns` wide at most.
std::string FormatTransferBar(int64_t done, int64_t total, int columns);

// Shows how much of one file has been sent. Nothing is shown as JSON, which has
// only results. Thread-compatible.
class TransferProgress {
 public:
  // `total` is the size in bytes, at least 1; `columns` the terminal's width.
  TransferProgress(ProgressStyle style, int64_t total, int columns,
                   std::ostream& out, Clock& clock);

  // Shows that `done` bytes were sent, if that is worth a line.
  void Show(int64_t done);

  // Says something in between: a line above the bar.
  void Note(const std::string& line);

  // Ends the bar's line, so that other text can follow.
  void End();

 private:
  const ProgressStyle style_;
  const int64_t total_;
  const int columns_;
  std::ostream& out_;
  Clock& clock_;
  absl::Time last_time_ = absl::InfinitePast();
  int64_t last_done_ = -1;
  bool bar_drawn_ = false;
};

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_TRANSFER_PROGRESS_H_
