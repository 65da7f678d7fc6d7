#include "client/output_files.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"

namespace tessera::client {
namespace {

// Read at once: few calls, little memory.
constexpr int64_t kChunkBytes = 1 << 20;
// A line of a manifest has some hundred bytes; more is no manifest.
constexpr size_t kLongestLine = 1 << 20;
// More than a person reads.
constexpr size_t kMostProblems = 1000;

// Says whether a path stays below the output's images; manifests may come from
// anywhere.
bool IsPicturePath(const std::string& path) {
  const std::filesystem::path parts(path);
  return path.starts_with("images/") && !path.ends_with('/') &&
         std::none_of(parts.begin(), parts.end(), [](const auto& part) {
           return part == ".." || part == ".";
         });
}

// Reads one line of a manifest.
absl::StatusOr<ManifestEntry> ParseEntry(std::string_view line,
                                         int64_t number) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  ManifestEntry entry;
  if (json.is_object() && json.contains("path") && json["path"].is_string() &&
      json.contains("sha256") && json["sha256"].is_string()) {
    entry = {json["path"].get<std::string>(),
             json["sha256"].get<std::string>()};
  }
  if (IsPicturePath(entry.path)) return entry;
  return absl::DataLossError(
      absl::StrCat("manifest.jsonl: line ", number, " names no picture"));
}

// Calls `take` with a file's bytes, piece by piece.
absl::Status ReadAll(
    storage::OutputStore& output, const std::string& path,
    const std::function<absl::Status(std::string_view)>& take) {
  for (int64_t offset = 0;;) {
    ASSIGN_OR_RETURN(const std::string bytes,
                     output.Read(path, offset, kChunkBytes));
    RETURN_IF_ERROR(take(bytes));
    offset += static_cast<int64_t>(bytes.size());
    if (static_cast<int64_t>(bytes.size()) < kChunkBytes) {
      return absl::OkStatus();
    }
  }
}

// Returns the folder of a path; empty for a file of the output itself.
std::string FolderOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

// Notes what is wrong with one file.
void Note(std::string problem, VerifyReport& report) {
  if (report.problems.size() < kMostProblems) {
    report.problems.push_back(std::move(problem));
  }
}

// Compares one file with its line.
absl::Status VerifyEntry(storage::OutputStore& output,
                         const ManifestEntry& entry, VerifyReport& report) {
  ++report.pictures;
  const absl::StatusOr<std::string> digest = DigestOf(output, entry.path);
  if (digest.ok() && *digest == entry.sha256) {
    ++report.intact;
    return absl::OkStatus();
  }
  // Others say nothing about the file, as a bucket that is away.
  if (!digest.ok() && !absl::IsNotFound(digest.status())) {
    return digest.status();
  }
  ++report.damaged;
  Note(absl::StrCat(output.NameOf(entry.path), ": ",
                    digest.ok() ? absl::StrCat("sha256 is ", *digest, ", not ",
                                               entry.sha256)
                                : std::string("missing")),
       report);
  return absl::OkStatus();
}

}  // namespace

absl::Status ForEachManifestEntry(
    storage::OutputStore& output,
    const std::function<absl::Status(const ManifestEntry&)>& visit) {
  std::string rest;
  int64_t number = 0;
  const auto take_line = [&](std::string_view line) -> absl::Status {
    ASSIGN_OR_RETURN(const ManifestEntry entry, ParseEntry(line, ++number));
    return visit(entry);
  };
  RETURN_IF_ERROR(ReadAll(
      output, "manifest.jsonl", [&](std::string_view bytes) -> absl::Status {
        rest.append(bytes);
        size_t begin = 0;
        for (size_t end; (end = rest.find('\n', begin)) != rest.npos;
             begin = end + 1) {
          RETURN_IF_ERROR(
              take_line(std::string_view(rest).substr(begin, end - begin)));
        }
        rest.erase(0, begin);
        return rest.size() <= kLongestLine
                   ? absl::OkStatus()
                   : absl::DataLossError(absl::StrCat(
                         "manifest.jsonl: line ", number + 1, " is too long"));
      }));
  return rest.empty() ? absl::OkStatus() : take_line(rest);
}

absl::StatusOr<std::string> DigestOf(storage::OutputStore& output,
                                     const std::string& path) {
  Sha256Stream digest;
  RETURN_IF_ERROR(ReadAll(output, path, [&](std::string_view bytes) {
    digest.Update(bytes);
    return absl::OkStatus();
  }));
  return digest.FinishHex();
}

absl::StatusOr<VerifyReport> VerifyOutput(storage::OutputStore& output) {
  VerifyReport report;
  // The pictures of one folder lie together in a manifest only by chance: all
  // names are kept, some ten bytes each.
  std::set<std::string> named;
  RETURN_IF_ERROR(ForEachManifestEntry(output, [&](const ManifestEntry& entry) {
    named.insert(entry.path);
    return VerifyEntry(output, entry, report);
  }));
  ASSIGN_OR_RETURN(const std::vector<std::string> found, output.List("images"));
  for (const std::string& path : found) {
    if (named.contains(path)) continue;
    ++report.unnamed;
    Note(absl::StrCat(output.NameOf(path), ": not in the manifest"), report);
  }
  return report;
}

absl::StatusOr<bool> BringFile(storage::OutputStore& from,
                               storage::OutputStore& to,
                               const ManifestEntry& entry) {
  if (!IsPicturePath(entry.path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("not a picture's path: ", entry.path));
  }
  const absl::StatusOr<std::string> there = DigestOf(to, entry.path);
  if (there.ok() && *there == entry.sha256) return false;
  RETURN_IF_ERROR(to.Prepare(FolderOf(entry.path)));
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::OutputFile> file,
                   to.Create(entry.path));
  Sha256Stream digest;
  RETURN_IF_ERROR(ReadAll(from, entry.path, [&](std::string_view bytes) {
    digest.Update(bytes);
    return file->Append(bytes);
  }));
  const std::string found = digest.FinishHex();
  if (found != entry.sha256) {
    return absl::DataLossError(absl::StrCat(from.NameOf(entry.path),
                                            ": sha256 is ", found, ", not ",
                                            entry.sha256));
  }
  RETURN_IF_ERROR(file->Commit());
  return true;
}

absl::Status BringWhole(storage::OutputStore& from, storage::OutputStore& to,
                        const std::string& path) {
  ASSIGN_OR_RETURN(const bool there, from.Exists(path));
  if (!there) return absl::OkStatus();
  RETURN_IF_ERROR(to.Prepare(FolderOf(path)));
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::OutputFile> file,
                   to.Create(path));
  RETURN_IF_ERROR(ReadAll(
      from, path, [&](std::string_view bytes) { return file->Append(bytes); }));
  return file->Commit();
}

}  // namespace tessera::client
