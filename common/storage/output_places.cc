#include "common/storage/output_places.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"
#include "common/storage/folder_output_store.h"
#include "common/storage/s3_output_store.h"

namespace tessera::storage {
namespace {

namespace fs = std::filesystem;

// What AWS's own tools sign for where no region is named.
constexpr char kDefaultRegion[] = "us-east-1";

// Returns the first of two variables that is set and not empty.
std::string First(const Environment& environment, const char* name,
                  const char* other) {
  const std::string value = environment(name).value_or("");
  return value.empty() ? environment(other).value_or("") : value;
}

// Returns the normal form of a folder.
absl::StatusOr<std::string> NormalFolder(const std::string& uri) {
  // The folder is on a file system that all workers mount, so any path of this
  // machine is taken as theirs.
  const fs::path path(std::string(absl::StripPrefix(uri, "file://")));
  // A relative path would mean another folder to each process.
  if (!path.is_absolute() || uri.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("output_uri is neither an absolute folder, file:///folder "
                     "nor s3://bucket/prefix: ",
                     uri));
  }
  // Removes "." and ".." by text alone, without links: equal texts are equal
  // folders, while the folder need not exist yet.
  std::string folder = path.lexically_normal().string();
  // A trailing slash survives the normal form but does not make another folder.
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  // Nobody means the root; it is what an empty variable in a script leaves.
  if (folder == "/") {
    return absl::InvalidArgumentError(
        absl::StrCat("output folder is the root of the file system: ", uri));
  }
  return folder;
}

// Returns the options of the process's client.
S3Options MakeOptions(const Environment& environment, uint32_t jitter_seed) {
  S3Options options;
  options.server = ServerFromEnvironment(environment);
  options.jitter_seed = jitter_seed;
  return options;
}

}  // namespace

absl::StatusOr<std::string> NormalOutput(const std::string& uri) {
  if (!IsS3Uri(uri)) return NormalFolder(uri);
  ASSIGN_OR_RETURN(const S3Location location, ParseS3Uri(uri));
  return ToUri(location);
}

S3Server ServerFromEnvironment(const Environment& environment) {
  S3Server server;
  server.endpoint =
      First(environment, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
  server.region = First(environment, "AWS_REGION", "AWS_DEFAULT_REGION");
  if (server.region.empty()) server.region = kDefaultRegion;
  const std::string addressing =
      environment("TESSERA_S3_ADDRESSING").value_or("");
  // Servers of one's own seldom have a name for each bucket.
  server.path_style =
      addressing.empty() ? !server.endpoint.empty() : addressing == "path";
  return server;
}

S3Access::S3Access(const Environment& environment, uint32_t jitter_seed,
                   Clock& clock)
    : credentials_(environment, ServerFromEnvironment(environment).region,
                   http_, clock),
      client_(MakeOptions(environment, jitter_seed), credentials_, http_,
              clock) {}

OutputPlaces::OutputPlaces(S3Access* s3) : s3_(s3) {}

absl::StatusOr<std::unique_ptr<OutputStore>> OutputPlaces::Open(
    const std::string& uri, const std::string& writer) const {
  ASSIGN_OR_RETURN(const std::string place, NormalOutput(uri));
  if (!IsS3Uri(place)) {
    return std::make_unique<FolderOutputStore>(place, writer);
  }
  if (s3_ == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("outputs in buckets are switched off: ", place));
  }
  ASSIGN_OR_RETURN(S3Location location, ParseS3Uri(place));
  return std::make_unique<S3OutputStore>(std::move(location), s3_->client());
}

}  // namespace tessera::storage
