#include "common/storage/folder_output_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/file_descriptor.h"
#include "common/output_layout.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "common/storage/durable_file.h"

namespace tessera::storage {
namespace {

namespace fs = std::filesystem;

// Turns an error of std::filesystem, whose values are errno on Linux, into a
// status that names the path.
absl::Status FromErrorCode(const std::error_code& error, const char* what,
                           const std::string& path) {
  if (!error) return absl::OkStatus();
  return absl::ErrnoToStatus(error.value(), absl::StrCat(what, ": ", path));
}

// Makes a folder and those above it; one that exists is fine.
absl::Status MakeFolders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return FromErrorCode(error, "cannot create folder", path);
}

}  // namespace

FolderOutputStore::FolderOutputStore(std::string folder,
                                     const std::string& writer)
    : folder_(std::move(folder)),
      // Each process has a folder of its own, so that two that hold the same
      // shard do not write to one file. It lies on the file system of the
      // output: a rename does not work across two.
      temporary_(absl::StrCat(folder_, "/", kTemporaryFolder, "/", writer)) {}

FolderOutputStore::~FolderOutputStore() {
  std::error_code ignored;  // the seal removes it anyway
  fs::remove_all(temporary_, ignored);
}

std::string FolderOutputStore::NameOf(std::string_view path) const {
  return absl::StrCat(folder_, "/", std::string(path));
}

absl::Status FolderOutputStore::Prepare(const std::string& folder) {
  RETURN_IF_ERROR(MakeFolders(temporary_));
  RETURN_IF_ERROR(MakeFolders(NameOf(folder)));
  // The names of the new folders must survive a crash as the files do.
  for (fs::path made(folder); !made.empty();) {
    made = made.parent_path();
    RETURN_IF_ERROR(SyncFolder(NameOf(made.string())));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FolderOutputStore::Put(const std::string& path,
                                                   std::string_view bytes) {
  ASSIGN_OR_RETURN(const std::unique_ptr<OutputFile> file, Create(path));
  RETURN_IF_ERROR(file->Append(bytes));
  RETURN_IF_ERROR(file->Commit());
  return Sha256Hex(bytes);
}

absl::StatusOr<std::unique_ptr<OutputFile>> FolderOutputStore::Create(
    const std::string& path) {
  // Flat: names of one writer's files differ in their whole path.
  const std::string temporary =
      absl::StrCat(temporary_, "/", absl::StrReplaceAll(path, {{"/", "!"}}));
  ASSIGN_OR_RETURN(DurableFile file,
                   DurableFile::Create(NameOf(path), temporary));
  return std::make_unique<DurableFile>(std::move(file));
}

absl::StatusOr<std::string> FolderOutputStore::Read(const std::string& path,
                                                    int64_t offset,
                                                    int64_t limit) {
  ASSIGN_OR_RETURN(const FileDescriptor file,
                   FileDescriptor::Open(NameOf(path), O_RDONLY));
  ASSIGN_OR_RETURN(const int64_t size, file.Size());
  // Cut to what is left: `limit` may be the caller's idea of everything.
  return file.Read(offset, std::clamp<int64_t>(size - offset, 0, limit));
}

absl::StatusOr<bool> FolderOutputStore::Exists(const std::string& path) {
  std::error_code error;
  const bool found = fs::exists(NameOf(path), error);
  RETURN_IF_ERROR(FromErrorCode(error, "cannot look at", NameOf(path)));
  return found;
}

absl::StatusOr<std::vector<std::string>> FolderOutputStore::List(
    const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  const std::string root = NameOf(folder);
  if (!fs::is_directory(root, error)) return paths;
  fs::recursive_directory_iterator it(root, error);
  for (; !error && it != fs::recursive_directory_iterator();
       it.increment(error)) {
    // Files in the making are nobody's business.
    if (it->path().filename() == kTemporaryFolder) {
      it.disable_recursion_pending();
    } else if (!fs::is_directory(it->symlink_status())) {
      paths.push_back(it->path().lexically_relative(folder_).string());
    }
  }
  RETURN_IF_ERROR(FromErrorCode(error, "cannot list folder", root));
  std::sort(paths.begin(), paths.end());
  return paths;
}

absl::Status FolderOutputStore::Remove(const std::string& path) {
  const std::string name = NameOf(path);
  if (unlink(name.c_str()) != 0 && errno != ENOENT) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot remove file: ", name));
  }
  // A folder that is empty by now goes too; one that is not stays.
  std::error_code ignored;
  const fs::path parent = fs::path(path).parent_path();
  if (!parent.empty()) fs::remove(NameOf(parent.string()), ignored);
  return absl::OkStatus();
}

absl::Status FolderOutputStore::RemoveTemporaries() {
  const std::string temporary = NameOf(kTemporaryFolder);
  std::error_code error;
  fs::remove_all(temporary, error);
  return FromErrorCode(error, "cannot remove folder", temporary);
}

}  // namespace tessera::storage
