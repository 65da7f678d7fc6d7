// Replays files through a fuzz target with any compiler: the committed corpora
// are regression tests, and an input that a fuzzer found can be run again.
//
//   NAME_corpus PATH…    files, or folders of files in the order of their names
//
// Prints each file before it runs, so that the last one printed is the one
// that failed. Exits with 2 when there is nothing to replay.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

// Returns the files that `path` stands for, sorted; none when it is missing.
std::vector<std::string> FilesOf(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return {path};
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Runs the target on one file; false when it cannot be read.
bool Replay(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  // Exactly as large as the input: a sanitizer sees the first byte too far.
  const auto copy = std::make_unique<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  LLVMFuzzerTestOneInput(copy.get(), bytes.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::vector<std::string> found = FilesOf(argv[i]);
    files.insert(files.end(), found.begin(), found.end());
  }
  for (const std::string& file : files) {
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);
    if (!Replay(file)) {
      std::fprintf(stderr, "cannot read: %s\n", file.c_str());
      return 2;
    }
  }
  if (files.empty()) std::fprintf(stderr, "nothing to replay\n");
  return files.empty() ? 2 : 0;
}
