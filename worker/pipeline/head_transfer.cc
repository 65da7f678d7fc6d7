#include "worker/pipeline/head_transfer.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::pipeline {
namespace {

// The embeddings of a batch of prompts are far smaller.
constexpr uint64_t kLargestHead = uint64_t{1} << 30;

// Returns bytes as a tensor of the host.
kernels::TensorView Bytes(void* data, size_t size) {
  return {data, kernels::DType::kU8,
          kernels::Shape{static_cast<int64_t>(size)}};
}

}  // namespace

absl::Status SendHead(Channel& channel, int peer, const MicroBatchHead& head) {
  std::vector<std::byte> bytes = EncodeHead(head);
  uint64_t size = bytes.size();
  RETURN_IF_ERROR(channel.Send(peer, Bytes(&size, sizeof(size))));
  return channel.Send(peer, Bytes(bytes.data(), bytes.size()));
}

absl::StatusOr<MicroBatchHead> ReceiveHead(Channel& channel, int peer,
                                           absl::Time deadline) {
  uint64_t size = 0;
  RETURN_IF_ERROR(channel.Receive(peer, Bytes(&size, sizeof(size)), deadline));
  if (size > kLargestHead) {
    return absl::InvalidArgumentError(
        absl::StrCat("head of a micro-batch is too large: ", size, " bytes"));
  }
  std::vector<std::byte> bytes(size);
  RETURN_IF_ERROR(channel.Receive(peer, Bytes(bytes.data(), size), deadline));
  return DecodeHead(bytes);
}

}  // namespace tessera::pipeline
