#include "client/lora_client.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/rpc/channel.h"
#include "common/rpc/status.h"
#include "common/sha256.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// What is read, digested and sent at once.
constexpr int64_t kChunkBytes = 256 << 10;
constexpr absl::Duration kCallDeadline = absl::Seconds(20);
// What the slowest sensible link takes, with the time that checking a large
// file takes at the other end.
constexpr double kSlowestBytesPerSecond = 1 << 20;
constexpr absl::Duration kCheckTime = absl::Minutes(2);

// gRPC takes deadlines as wall-clock time and nothing else.
void SetDeadline(grpc::ClientContext& context, Clock& clock,
                 absl::Duration timeout) {
  context.set_deadline(absl::ToChronoTime(clock.Now() + timeout));
}

// Says that a file of the user's cannot be pushed, which is bad input whatever
// the reason.
absl::Status Unreadable(const std::string& path, absl::string_view reason) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": cannot read the LoRA: ", reason));
}

// Returns the digest of all of the file, counting its bytes in `size`.
absl::StatusOr<std::string> DigestOf(const FileDescriptor& file,
                                     int64_t& size) {
  Sha256Stream digest;
  for (size = 0;;) {
    ASSIGN_OR_RETURN(const std::string bytes, file.Read(size, kChunkBytes));
    if (bytes.empty()) return digest.FinishHex();
    digest.Update(bytes);
    size += static_cast<int64_t>(bytes.size());
  }
}

}  // namespace

absl::StatusOr<LoraFile> LoraFile::Open(const std::string& path) {
  absl::StatusOr<FileDescriptor> file = FileDescriptor::Open(path, O_RDONLY);
  if (!file.ok()) return Unreadable(path, file.status().message());
  int64_t size = 0;
  const absl::StatusOr<std::string> sha256 = DigestOf(*file, size);
  // A folder opens, but cannot be read.
  if (!sha256.ok()) return Unreadable(path, sha256.status().message());
  if (size == 0) return Unreadable(path, "the file is empty");
  return LoraFile{*std::move(file), *sha256, size};
}

LoraClient::LoraClient(std::unique_ptr<Stub> stub, ClientOptions options,
                       Clock& clock)
    : stub_(std::move(stub)),
      retrier_(std::move(options), clock),
      clock_(clock) {}

// Returns how many bytes of the file the service holds.
absl::StatusOr<int64_t> LoraClient::QueryUpload(const LoraFile& file) {
  grpc::ClientContext context;
  SetDeadline(context, clock_, kCallDeadline);
  v1::QueryUploadRequest request;
  request.set_sha256(file.sha256);
  v1::QueryUploadResponse response;
  RETURN_IF_ERROR(
      rpc::FromGrpcStatus(stub_->QueryUpload(&context, request, &response)));
  return response.received_bytes();
}

// Sends the header and the bytes from its offset on. A stream that the service
// closes early is no error: Finish tells what it answered.
absl::Status LoraClient::Send(
    grpc::ClientWriterInterface<v1::RegisterLoraRequest>& writer,
    const v1::LoraHeader& header, const LoraFile& file,
    const std::function<void(int64_t sent)>& on_progress) {
  v1::RegisterLoraRequest request;
  *request.mutable_header() = header;
  // False: the service has answered already, for example because it has the
  // file.
  if (!writer.Write(request)) return absl::OkStatus();
  int64_t offset = header.offset();
  on_progress(offset);
  // Ends at the size that was digested, even if the file has grown since.
  while (offset < file.size) {
    ASSIGN_OR_RETURN(
        std::string bytes,
        file.file.Read(offset, std::min(kChunkBytes, file.size - offset)));
    // Without this check the loop would not end.
    if (bytes.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the file became shorter while it was pushed: ", header.name()));
    }
    offset += static_cast<int64_t>(bytes.size());
    request.set_chunk(std::move(bytes));
    if (!writer.Write(request)) return absl::OkStatus();
    on_progress(offset);
  }
  writer.WritesDone();
  return absl::OkStatus();
}

absl::StatusOr<v1::Lora> LoraClient::Push(
    const std::string& name, const LoraFile& file,
    const std::function<void(int64_t sent)>& on_progress) {
  v1::LoraHeader header;
  header.set_name(name);
  header.set_sha256(file.sha256);
  header.set_size_bytes(file.size);
  v1::Lora lora;
  int64_t furthest = -1;
  int64_t shown = -1;
  const auto show = [&](int64_t sent) { on_progress(shown = sent); };
  RETURN_IF_ERROR(retrier_.Run([&](bool& answered) -> absl::Status {
    ASSIGN_OR_RETURN(const int64_t received, QueryUpload(file));
    // Only bytes that arrived renew the patience: a service that answers this
    // call and refuses every upload would otherwise be asked for ever.
    answered = received > furthest;
    furthest = std::max(furthest, received);
    // More than the file has can only be another file's: start at its end and
    // let the service say what is wrong.
    header.set_offset(std::min(received, file.size));
    grpc::ClientContext context;
    SetDeadline(context, clock_,
                kCheckTime + absl::Seconds(file.size / kSlowestBytesPerSecond));
    auto writer = stub_->RegisterLora(&context, &lora);
    const absl::Status sent = Send(*writer, header, file, show);
    // An end without cancellation would tell the service that this was all.
    if (!sent.ok()) context.TryCancel();
    const grpc::Status finished = writer->Finish();
    RETURN_IF_ERROR(sent);
    return rpc::FromGrpcStatus(finished);
  }));
  // A service that had the bytes answers before they are sent.
  if (shown != file.size) on_progress(file.size);
  return lora;
}

// One page; whoever wants them all passes the token on.
absl::StatusOr<v1::ListLorasResponse> LoraClient::List(
    const v1::ListLorasRequest& request) {
  v1::ListLorasResponse response;
  RETURN_IF_ERROR(retrier_.Run([&](bool&) {
    grpc::ClientContext context;
    SetDeadline(context, clock_, kCallDeadline);
    return rpc::FromGrpcStatus(stub_->ListLoras(&context, request, &response));
  }));
  return response;
}

absl::Status LoraClient::Delete(const std::string& name) {
  v1::DeleteLoraRequest request;
  request.set_name(name);
  bool repeated = false;
  return retrier_.Run([&](bool&) -> absl::Status {
    grpc::ClientContext context;
    SetDeadline(context, clock_, kCallDeadline);
    v1::DeleteLoraResponse response;
    const absl::Status status =
        rpc::FromGrpcStatus(stub_->DeleteLora(&context, request, &response));
    // A try whose answer was lost may have deleted it.
    if (std::exchange(repeated, true) && absl::IsNotFound(status)) {
      return absl::OkStatus();
    }
    return status;
  });
}

LoraClient ConnectLoras(ClientOptions options, Clock& clock) {
  auto channel = rpc::MakeChannel(options.coordinator);
  return LoraClient(v1::LoraService::NewStub(channel), std::move(options),
                    clock);
}

}  // namespace tessera::client
