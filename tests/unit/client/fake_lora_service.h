// A registry of LoRAs on loopback that answers what the test tells it to.
#ifndef TESSERA_TESTS_UNIT_CLIENT_FAKE_LORA_SERVICE_H_
#define TESSERA_TESTS_UNIT_CLIENT_FAKE_LORA_SERVICE_H_

#include <deque>
#include <string>
#include <vector>

#include "tessera/v1/lora_service.grpc.pb.h"
#include "tests/support/in_process_server.h"

namespace tessera::client {

// Each call takes the next entry of `failures`; one that is not OK is the
// answer. Uploads keep their bytes in `held`, as the real one does. Set it up
// before calling.
class FakeLoraService : public v1::LoraService::Service {
 public:
  const std::string& address() const { return server_.address(); }

  std::deque<grpc::Status> failures;
  std::string held;            // bytes of the only upload
  size_t break_at = SIZE_MAX;  // the next upload ends UNAVAILABLE there
  std::vector<v1::LoraHeader> headers;  // of every upload
  std::vector<v1::Lora> loras;          // one page each
  std::vector<std::string> deleted;

  grpc::Status QueryUpload(grpc::ServerContext*, const v1::QueryUploadRequest*,
                           v1::QueryUploadResponse* response) override {
    response->set_received_bytes(static_cast<int64_t>(held.size()));
    return Next();
  }
  grpc::Status RegisterLora(grpc::ServerContext*,
                            grpc::ServerReader<v1::RegisterLoraRequest>* reader,
                            v1::Lora* response) override {
    v1::RegisterLoraRequest request;
    reader->Read(&request);
    headers.push_back(request.header());
    response->set_name(request.header().name());
    response->set_sha256(request.header().sha256());
    response->set_size_bytes(request.header().size_bytes());
    held.resize(request.header().offset());
    while (reader->Read(&request)) {
      held += request.chunk();
      if (held.size() < break_at) continue;
      held.resize(break_at);
      break_at = SIZE_MAX;
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken");
    }
    return Next();
  }
  grpc::Status ListLoras(grpc::ServerContext*,
                         const v1::ListLorasRequest* request,
                         v1::ListLorasResponse* response) override {
    const size_t at =
        request->page_token().empty() ? 0 : std::stoul(request->page_token());
    if (at < loras.size()) *response->add_loras() = loras[at];
    if (at + 1 < loras.size()) {
      response->set_next_page_token(absl::StrCat(at + 1));
    }
    return Next();
  }
  grpc::Status DeleteLora(grpc::ServerContext*,
                          const v1::DeleteLoraRequest* request,
                          v1::DeleteLoraResponse*) override {
    deleted.push_back(request->name());
    return Next();
  }

 private:
  grpc::Status Next() {
    if (failures.empty()) return grpc::Status::OK;
    const grpc::Status next = failures.front();
    failures.pop_front();
    return next;
  }

  // Last, so that it stops before what its calls use is gone.
  testing::InProcessServer server_{*this};
};

}  // namespace tessera::client

#endif  // TESSERA_TESTS_UNIT_CLIENT_FAKE_LORA_SERVICE_H_
