// A folder for one test, removed with it.
#ifndef TESSERA_TESTS_UNIT_CLIENT_SCRATCH_FOLDER_H_
#define TESSERA_TESTS_UNIT_CLIENT_SCRATCH_FOLDER_H_

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "client/temporary_folder.h"

namespace tessera::client {

class ScratchFolder {
 public:
  ScratchFolder() : folder_(*TemporaryFolder::Create()) {}

  const std::string& path() const { return folder_.path(); }
  std::string File(const std::string& name) const { return folder_.File(name); }

  // Writes a file, making the folders above it, and returns its path.
  std::string Write(const std::string& name, std::string_view text) const {
    const std::string path = File(name);
    std::filesystem::create_directories(
        std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  // Writes a shell script and returns its path.
  std::string Script(const std::string& name, std::string_view body) const {
    const std::string path = Write(name, "#!/bin/sh\n" + std::string(body));
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }

  std::string Read(const std::string& name) const {
    std::ifstream file(File(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace tessera::client

#endif  // TESSERA_TESTS_UNIT_CLIENT_SCRATCH_FOLDER_H_
