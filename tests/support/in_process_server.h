// A gRPC server in the test's own process.
#ifndef TESSERA_TESTS_SUPPORT_IN_PROCESS_SERVER_H_
#define TESSERA_TESTS_SUPPORT_IN_PROCESS_SERVER_H_

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace tessera::testing {

// Serves `service` on a free port of this machine while it lives.
class InProcessServer {
 public:
  explicit InProcessServer(grpc::Service& service) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(&service);
    server_ = builder.BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }
  ~InProcessServer() { Shutdown(); }

  InProcessServer(const InProcessServer&) = delete;
  InProcessServer& operator=(const InProcessServer&) = delete;

  const std::string& address() const { return address_; }

  // Stops serving early; calls under way are broken off.
  void Shutdown() { server_->Shutdown(); }

 private:
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace tessera::testing

#endif  // TESSERA_TESTS_SUPPORT_IN_PROCESS_SERVER_H_
