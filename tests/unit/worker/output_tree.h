// A temporary folder whose files a test looks at.
#ifndef TESSERA_TESTS_UNIT_WORKER_OUTPUT_TREE_H_
#define TESSERA_TESTS_UNIT_WORKER_OUTPUT_TREE_H_

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace tessera::worker {

// Names below are relative to the folder.
class OutputTree {
 public:
  std::string path() const { return folder_.path(); }

  // Writes a file and its folders; returns the file's absolute path.
  std::string Write(const std::string& name, const std::string& bytes) const {
    testing::WriteText(folder_ / name, bytes);
    return folder_ / name;
  }

  std::string Read(const std::string& name) const {
    return testing::ReadText(folder_ / name);
  }

  // The regular files, sorted.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(path())) {
      if (entry.is_regular_file()) {
        files.push_back(
            std::filesystem::relative(entry.path(), path()).string());
      }
    }
    std::sort(files.begin(), files.end());
    return files;
  }

 private:
  testing::TemporaryFolder folder_;
};

}  // namespace tessera::worker

#endif  // TESSERA_TESTS_UNIT_WORKER_OUTPUT_TREE_H_
