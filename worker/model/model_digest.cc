#include "worker/model/model_digest.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "common/status_macros.h"

namespace tessera::model {
namespace {

// Read at a time; large enough that the hash is what takes time.
constexpr size_t kChunkBytes = size_t{1} << 20;

// Folders of a model in the layout of diffusers that this engine reads.
constexpr const char* kFolders[] = {"scheduler", "text_encoder", "tokenizer",
                                    "unet", "vae"};
// Those that only models of the XL kind have.
constexpr const char* kXlFolders[] = {"text_encoder_2", "tokenizer_2"};

// Takes configs, vocabularies and weights; pickled checkpoints, which no loader
// here reads, do not change the digest.
bool IsPart(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".json" || extension == ".txt" ||
         extension == ".safetensors";
}

// Returns the hex SHA-256 of a file's bytes, read in chunks.
absl::StatusOr<std::string> DigestFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat("cannot open: ", path));
  }
  Sha256Stream digest;
  std::string chunk(kChunkBytes, '\0');
  // Hashes the last, shorter chunk too, for which read fails.
  while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) ||
         file.gcount() > 0) {
    digest.Update(
        std::string_view(chunk).substr(0, static_cast<size_t>(file.gcount())));
  }
  if (file.bad()) {
    return absl::InternalError(absl::StrCat("cannot read: ", path));
  }
  return digest.FinishHex();
}

// Appends the parts in a folder of the model to `paths`, relative to the model,
// so that moving it keeps its digest. Returns why the folder cannot be listed
// to its end.
std::error_code ListParts(const std::string& model_dir, const char* folder,
                          std::vector<std::string>& paths) {
  std::error_code error;
  const std::string path = absl::StrCat(model_dir, "/", folder);
  for (std::filesystem::directory_iterator it(path, error), end;
       !error && it != end; it.increment(error)) {
    if (IsPart(it->path())) {
      paths.push_back(
          absl::StrCat(folder, "/", it->path().filename().string()));
    }
  }
  return error;
}

}  // namespace

absl::StatusOr<std::string> ModelDigest(const std::string& model_dir) {
  std::vector<std::string> paths;
  for (const char* folder : kFolders) {
    if (ListParts(model_dir, folder, paths)) {
      return absl::NotFoundError(
          absl::StrCat("no folder: ", model_dir, "/", folder));
    }
  }
  for (const char* folder : kXlFolders) {
    const std::error_code error = ListParts(model_dir, folder, paths);
    if (error && error != std::errc::no_such_file_or_directory) {
      return absl::InternalError(absl::StrCat("cannot list: ", model_dir, "/",
                                              folder, ": ", error.message()));
    }
  }
  // Sorts, for a folder lists its files in any order.
  std::sort(paths.begin(), paths.end());
  Sha256Stream whole;
  for (const std::string& path : paths) {
    // Hashes names with contents: a renamed file is another model.
    ASSIGN_OR_RETURN(const std::string digest,
                     DigestFile(absl::StrCat(model_dir, "/", path)));
    whole.Update(absl::StrCat(path, " ", digest, "\n"));
  }
  return whole.FinishHex();
}

}  // namespace tessera::model
