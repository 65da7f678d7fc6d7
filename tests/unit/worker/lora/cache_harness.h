// What tests of the LoRA cache share: a source, a disk and events that are
// fakes, and a cache in a temporary folder.
#ifndef TESSERA_TESTS_UNIT_WORKER_LORA_CACHE_HARNESS_H_
#define TESSERA_TESTS_UNIT_WORKER_LORA_CACHE_HARNESS_H_

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/worker/lora/counting_events.h"
#include "worker/lora/node_cache.h"

namespace tessera::lora {

// Serves what was put into it, in pieces. What `spoil` names is served with its
// last byte changed, as often as it says.
class FakeSource final : public BlobSource {
 public:
  // Adds a file; returns its digest.
  std::string Put(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    files_[sha256] = bytes;
    return sha256;
  }

  absl::Status Fetch(const std::string& sha256, int64_t offset,
                     const BlobSink& sink) override {
    if (stopped) return absl::CancelledError("stopped");
    fetched.push_back(sha256);
    if (on_fetch) on_fetch();
    const auto file = files_.find(sha256);
    if (file == files_.end()) return absl::NotFoundError("no such file");
    std::string bytes = file->second.substr(offset);
    if (spoil[sha256] > 0) {
      --spoil[sha256];
      bytes.back() ^= 1;
    }
    for (size_t at = 0; at < bytes.size(); at += piece) {
      const absl::Status status = sink(bytes.substr(at, piece));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  void Stop() override {
    stopped = true;
    if (on_stop) on_stop();
  }

  std::atomic<bool> stopped = false;
  std::function<void()> on_stop;
  size_t piece = 10;
  std::map<std::string, int> spoil;
  std::function<void()> on_fetch;
  std::vector<std::string> fetched;

 private:
  std::map<std::string, std::string> files_;
};

// A disk whose calls a test may forbid: `before` and `after` hear the name of
// each call, and an error of `before` is the call's.
class ScriptedDisk final : public CacheDisk {
 public:
  using Hook = std::function<absl::Status(const std::string& call)>;

  absl::StatusOr<size_t> Write(int file, std::string_view bytes, int64_t offset,
                               const std::string& path) override {
    // Half first, so that a stop in between leaves a torn file.
    const std::string_view half = bytes.substr(0, bytes.size() / 2 + 1);
    absl::StatusOr<size_t> written = absl::UnknownError("not called");
    const absl::Status status = Around("write", [&]() -> absl::Status {
      written = RealCacheDisk().Write(file, half, offset, path);
      return written.status();
    });
    if (!status.ok()) return status;
    return written;
  }
  absl::Status Flush(int file, const std::string& path) override {
    return Around("flush", [&] { return RealCacheDisk().Flush(file, path); });
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    return Around("rename", [&] { return RealCacheDisk().Rename(from, to); });
  }
  absl::Status Remove(const std::string& path) override {
    return Around("remove", [&] { return RealCacheDisk().Remove(path); });
  }
  absl::Status FlushFolder(const std::string& folder) override {
    return Around("flush folder",
                  [&] { return RealCacheDisk().FlushFolder(folder); });
  }

  Hook before;
  Hook after;

 private:
  absl::Status Around(const std::string& call,
                      const std::function<absl::Status()>& action) {
    if (before) {
      const absl::Status status = before(call);
      if (!status.ok()) return status;
    }
    const absl::Status status = action();
    if (after) after(call).IgnoreError();
    return status;
  }
};

// Makes caches in one temporary folder.
class CacheTest : public ::testing::Test {
 protected:
  // The file system notes a read as a use when the last use seems long ago. A
  // clock ahead of the machine's keeps that from the order of use.
  CacheTest() { clock_.Advance(absl::Hours(24 * 365 * 20)); }

  std::unique_ptr<NodeCache> Make(int64_t bytes) { return Make(bytes, clock_); }
  std::unique_ptr<NodeCache> Make(int64_t bytes, Clock& clock) {
    auto cache = NodeCache::Create(folder(), {bytes, absl::Minutes(2)}, source_,
                                   disk_, events_, clock);
    EXPECT_TRUE(cache.ok()) << cache.status();
    return *std::move(cache);
  }

  // Opens an entry, forgets it, lets a second pass. Returns its contents, or
  // the error's text.
  std::string Use(NodeCache& cache, const std::string& sha256) {
    const absl::StatusOr<CachedFile> file = cache.Open(sha256);
    clock_.Advance(absl::Seconds(1));
    if (!file.ok()) return file.status().ToString();
    return testing::ReadText(file->path());
  }

  std::string folder() const { return folder_ / "cache"; }
  std::string EntryPath(const std::string& sha256) const {
    return absl::StrCat(folder(), "/", sha256, ".safetensors");
  }

  // The names of all files below the cache but its lock, sorted.
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(folder())) {
      const std::string name = file.path().lexically_relative(folder());
      if (file.is_regular_file() && name != "node.lock") names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  testing::TemporaryFolder folder_;
  testing::FakeClock clock_;
  FakeSource source_;
  ScriptedDisk disk_;
  CountingEvents events_;
};

}  // namespace tessera::lora

#endif  // TESSERA_TESTS_UNIT_WORKER_LORA_CACHE_HARNESS_H_
