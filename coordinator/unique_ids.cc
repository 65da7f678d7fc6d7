#include "coordinator/unique_ids.h"

#include <algorithm>
#include <cstring>
#include <queue>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "common/status_macros.h"

namespace tessera::coordinator {
namespace {

// Entries read at a time from each run while they are merged: 32 KiB a run, so
// that the 300 runs of 300 million ids need 10 MB.
constexpr size_t kMergeEntries = 1024;

// Returns the first half of an id's SHA-256. With 128 bits two ids of 300
// million collide with a chance of 1 in 10^21, so digests stand for ids.
absl::uint128 Digest(std::string_view id) {
  const Sha256Digest digest = Sha256(id);
  uint64_t high, low;
  std::memcpy(&high, digest.data(), sizeof high);
  std::memcpy(&low, digest.data() + sizeof high, sizeof low);
  return absl::MakeUint128(high, low);
}

// Returns the index that `id` writes in decimal without leading zeros.
std::optional<int64_t> AsIndex(std::string_view id) {
  int64_t index = 0;
  if (!absl::SimpleAtoi(absl::string_view(id.data(), id.size()), &index) ||
      absl::StrCat(index) != absl::string_view(id.data(), id.size())) {
    return std::nullopt;
  }
  return index;
}

// Names the file in words, since it has no name. ErrnoToStatus makes
// RESOURCE_EXHAUSTED of a full disk.
absl::Status FileError(const char* what) {
  return absl::ErrnoToStatus(
      errno, absl::StrCat("temporary file of custom ids: ", what));
}

}  // namespace

UniqueIds::UniqueIds(size_t memory_ids) : memory_ids_(memory_ids) {}

void UniqueIds::CloseFile::operator()(FILE* file) const { std::fclose(file); }

absl::StatusOr<std::optional<DuplicateId>> UniqueIds::Add(
    std::string_view custom_id, int64_t index, int64_t line_number) {
  // While no line had an id of its own, the bound says everything.
  if (custom_id.empty() && !any_explicit_) {
    implicit_prefix_ = index + 1;
    return std::nullopt;
  }
  any_explicit_ = true;
  // Implicit ids after the first explicit one are remembered like any other,
  // since an explicit one may have taken the same text.
  const std::string implicit = absl::StrCat(index);
  const std::string_view id = custom_id.empty() ? implicit : custom_id;
  const std::optional<int64_t> as_index = AsIndex(id);
  // An explicit "12" after line 12 had it implicitly.
  if (as_index.has_value() && *as_index < implicit_prefix_) {
    return DuplicateId{.line = line_number, .first_line = 0};
  }
  // Told at once while the earlier line is in memory; otherwise by Finish.
  const auto [entry, fresh] = recent_.try_emplace(Digest(id), line_number);
  if (!fresh) {
    return DuplicateId{.line = line_number, .first_line = entry->second};
  }
  if (recent_.size() >= memory_ids_) RETURN_IF_ERROR(Spill());
  return std::nullopt;
}

// Sorts what is in memory and writes it as a run. Errors: those of the file.
absl::Status UniqueIds::Spill() {
  if (spilled_ == nullptr) {
    // Unnamed: it disappears with the process, whatever ends it.
    spilled_.reset(std::tmpfile());
    if (spilled_ == nullptr) return FileError("cannot create it");
  }
  std::vector<Entry> run;
  run.reserve(recent_.size());
  for (const auto& [digest, line] : recent_) run.push_back({digest, line});
  recent_.clear();
  std::sort(run.begin(), run.end(),
            [](const Entry& a, const Entry& b) { return a.digest < b.digest; });
  // Written as it lies in memory: the file never leaves this process.
  if (std::fwrite(run.data(), sizeof(Entry), run.size(), spilled_.get()) !=
      run.size()) {
    return FileError("cannot write it");
  }
  run_ends_.push_back((run_ends_.empty() ? 0 : run_ends_.back()) + run.size());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<DuplicateId>> UniqueIds::Finish(size_t limit) {
  std::vector<DuplicateId> duplicates;
  // Everything fitted into memory, so everything was told at once.
  if (spilled_ == nullptr) return duplicates;
  // The rest becomes a run as well, so that the merge knows one kind only.
  RETURN_IF_ERROR(Spill());

  // A run as it is read: entries [next, end) of the file are still to come.
  struct Run {
    int64_t next, end;
    std::vector<Entry> entries;
    size_t position = 0;
  };
  std::vector<Run> runs;
  for (size_t i = 0; i < run_ends_.size(); ++i) {
    runs.push_back({i == 0 ? 0 : run_ends_[i - 1], run_ends_[i], {}, 0});
  }
  // Reads the next piece of a run. Runs share the file, so each seeks first.
  const auto refill = [&](Run& run) -> absl::Status {
    const size_t count = std::min<int64_t>(kMergeEntries, run.end - run.next);
    run.entries.resize(count);
    run.position = 0;
    if (std::fseek(spilled_.get(), run.next * sizeof(Entry), SEEK_SET) != 0 ||
        std::fread(run.entries.data(), sizeof(Entry), count, spilled_.get()) !=
            count) {
      return FileError("cannot read it");
    }
    run.next += count;
    return absl::OkStatus();
  };
  // Compares heads by digest, then line: of equal ids the earliest line comes
  // first and counts as the first use.
  const auto later = [&](size_t a, size_t b) {
    const Entry& x = runs[a].entries[runs[a].position];
    const Entry& y = runs[b].entries[runs[b].position];
    return std::pair(x.digest, x.line) > std::pair(y.digest, y.line);
  };
  std::priority_queue<size_t, std::vector<size_t>, decltype(later)> heads(
      later);
  for (size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].next == runs[i].end) continue;
    RETURN_IF_ERROR(refill(runs[i]));
    heads.push(i);
  }

  std::optional<Entry> previous;
  // Stops at the limit: what is found beyond is not shown.
  while (!heads.empty() && duplicates.size() < limit) {
    // Taken by value of the heap: its order depends on the position, which
    // changes below, so the run leaves the heap before.
    Run& run = runs[heads.top()];
    const size_t index = heads.top();
    heads.pop();
    const Entry entry = run.entries[run.position++];
    if (previous.has_value() && previous->digest == entry.digest) {
      duplicates.push_back({.line = entry.line, .first_line = previous->line});
      // Stays on the first of equal ids, so that all others name it.
    } else {
      previous = entry;
    }
    if (run.position == run.entries.size()) {
      if (run.next == run.end) continue;
      RETURN_IF_ERROR(refill(run));
    }
    heads.push(index);
  }
  return duplicates;
}

}  // namespace tessera::coordinator
