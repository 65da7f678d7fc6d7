// A real coordinator on a port of this machine and the calls tests make of it.
#ifndef TESSERA_TESTS_INTEGRATION_SERVICE_HARNESS_H_
#define TESSERA_TESTS_INTEGRATION_SERVICE_HARNESS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/server.h"
#include "grpcpp/channel.h"
#include "nlohmann/json.hpp"
#include "tessera/v1/generation_service.grpc.pb.h"
#include "tests/support/fake_worker.h"
#include "tests/support/temporary_folder.h"

namespace tessera::coordinator {

// Starts on a SQLite file that survives Restart. Leases last two seconds.
class ServiceHarness {
 public:
  ServiceHarness();

  // Shuts the server down and starts it anew on the same file.
  void Restart();
  void Stop() { server_.reset(); }
  void Start();

  // Returns a header for model "emoji" and the output folder `name`.
  v1::JobHeader Header(const std::string& name) const;

  // Sends `prompts` in pieces of `piece` bytes.
  absl::StatusOr<v1::Job> Submit(const v1::JobHeader& header,
                                 const std::string& prompts, size_t piece);

  absl::StatusOr<v1::Job> Get(const std::string& job_id);
  absl::StatusOr<v1::Job> Cancel(const std::string& job_id);
  absl::StatusOr<v1::ListJobsResponse> List(int page_size,
                                            const std::string& token);
  absl::StatusOr<v1::ListImagesResponse> Images(const std::string& job_id,
                                                int page_size,
                                                const std::string& token);

  // Follows a job to its end; returns every state that was sent.
  absl::StatusOr<std::vector<v1::Job>> Watch(const std::string& job_id);
  // As above; calls `on_state` with each as it comes.
  absl::StatusOr<std::vector<v1::Job>> Watch(
      const std::string& job_id,
      const std::function<void(const v1::Job&)>& on_state);

  // Returns the objects of a JSON-lines file of the output folder `name`.
  std::vector<nlohmann::json> Lines(const std::string& name,
                                    const std::string& file) const;

  FakeWorker Worker(const std::string& id);
  std::shared_ptr<grpc::Channel> Channel() const;
  std::string Output(const std::string& name) const { return folder_ / name; }
  std::string StoreFile() const { return folder_ / "store.db"; }
  Server& server() { return *server_; }

 private:
  testing::TemporaryFolder folder_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::GenerationService::Stub> stub_;
};

// Returns a file of `count` prompts "p0", "p1", ….
std::string Prompts(int count);

}  // namespace tessera::coordinator

#endif  // TESSERA_TESTS_INTEGRATION_SERVICE_HARNESS_H_
