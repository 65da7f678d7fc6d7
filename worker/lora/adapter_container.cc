#include "worker/lora/adapter_container.h"

#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::lora {
namespace {

// Begins a zip archive, which torch.save writes since 1.6.
constexpr std::string_view kZip = "PK\x03\x04";
// Begins a bare pickle of protocol 2 or later, which torch.save wrote before.
constexpr char kPickleProtocol = '\x80';
// Stands in a header once a tensor.
constexpr std::string_view kPerTensor = "\"data_offsets\"";
// The most bytes of a header: 512 for each key, and 16 MiB of metadata, where
// trainers write their statistics.
constexpr uint64_t kMaxHeaderBytes =
    uint64_t{kMaxAdapterKeys} * 512 + (uint64_t{16} << 20);

// Says whether the bytes are Python's serialisation. A safetensors file whose
// header is 128 bytes begins with the pickle's mark too: its ninth byte is the
// brace of a JSON object.
bool IsPickle(std::string_view bytes) {
  if (bytes.starts_with(kZip)) return true;
  return bytes.size() > 1 && bytes[0] == kPickleProtocol && bytes[1] >= 2 &&
         bytes[1] <= 5 && (bytes.size() < 9 || bytes[8] != '{');
}

// Counts how often `text` stands in `header`, up to one more than `most`.
int64_t CountUpTo(std::string_view header, std::string_view text,
                  int64_t most) {
  int64_t count = 0;
  for (size_t at = header.find(text); at != header.npos && count <= most;
       at = header.find(text, at + text.size())) {
    ++count;
  }
  return count;
}

// Refuses a file by what shows before its header is parsed.
absl::Status CheckBeforeParsing(std::string_view bytes) {
  if (bytes.empty()) return absl::InvalidArgumentError("the file is empty");
  if (IsPickle(bytes)) {
    return absl::InvalidArgumentError(
        "the file is a Python pickle (.bin, .pt or .ckpt), which can run code "
        "and is never read; save the LoRA as safetensors");
  }
  uint64_t length = 0;
  if (bytes.size() < sizeof length) return absl::OkStatus();
  std::memcpy(&length, bytes.data(), sizeof length);
  // Leaves a header that does not fit the file to the parser's message.
  if (length > bytes.size() - sizeof length) return absl::OkStatus();
  if (length > kMaxHeaderBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("header too large for a LoRA: ", length,
                     " bytes, at most ", kMaxHeaderBytes));
  }
  const std::string_view header = bytes.substr(sizeof length, length);
  if (CountUpTo(header, kPerTensor, kMaxAdapterKeys) > kMaxAdapterKeys) {
    return absl::InvalidArgumentError(
        absl::StrCat("too many keys for a LoRA: more than ", kMaxAdapterKeys));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AdapterContainer> AdapterContainer::Open(
    const std::string& path) {
  ASSIGN_OR_RETURN(model::MappedFile file, model::MappedFile::Open(path));
  const absl::Status checked = CheckBeforeParsing(file.bytes());
  if (!checked.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", std::string(checked.message())));
  }
  ASSIGN_OR_RETURN(model::SafetensorsIndex index,
                   model::SafetensorsIndex::Parse(file.bytes(), path));
  return AdapterContainer(path, std::move(file), std::move(index));
}

AdapterContainer::AdapterContainer(std::string path, model::MappedFile file,
                                   model::SafetensorsIndex index)
    : path_(std::move(path)),
      file_(std::move(file)),
      index_(std::move(index)) {}

}  // namespace tessera::lora
