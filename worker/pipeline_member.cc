#include "worker/pipeline_member.h"

#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "worker/lora/model_layers.h"
#include "worker/model/model_digest.h"
#include "worker/model/unet.h"
#include "worker/pipeline/gloo_channel.h"
#include "worker/pipeline/stage_server.h"
#include "worker/pipeline_costs.h"
#include "worker/pipeline_engine.h"
#include "worker/pipeline_ranges.h"

namespace tessera::worker {
namespace {

// Members connect at the same moment, told by their next calls.
constexpr absl::Duration kConnectLimit = absl::Seconds(10);
// Merged weights that a member keeps, as a DenoiseBatch does.
constexpr int64_t kMergedBytes = int64_t{1} << 30;

}  // namespace

// One group, from the order to join until the thread has ended.
class PipelineMember::Membership {
 public:
  Membership(const PipelineMember& member, GroupOrder order)
      : member_(member),
        folder_(absl::StrCat(member.options_.models, "/", order.model)),
        order_(std::move(order)),
        status_{.group = order_.group},
        thread_([this] { Run(); }) {}

  ~Membership() {
    Leave("the worker ends");
    thread_.join();
  }

  const std::string& group() const { return order_.group; }

  GroupStatus Status() const {
    absl::MutexLock lock(&mu_);
    return status_;
  }

  // Takes the addresses of all members and the way through the ranks.
  void Complete(const GroupOrder& order) {
    absl::MutexLock lock(&mu_);
    if (!complete_.has_value()) complete_ = order;
  }

  // Ends what the thread waits for. Weights that are being read are waited
  // for.
  void Leave(const std::string& reason) {
    std::shared_ptr<pipeline::Channel> channel;
    {
      absl::MutexLock lock(&mu_);
      if (left_) return;
      left_ = true;
      channel = channel_;
      engine_.reset();
    }
    if (channel != nullptr) channel->Abort(absl::AbortedError(reason));
  }

  // Says that the engine which was offered can make no more pictures.
  void Fail(const std::shared_ptr<Engine>& engine, const absl::Status& reason) {
    absl::MutexLock lock(&mu_);
    if (engine_ != engine) return;
    status_.state = GroupState::kFailed;
    status_.reason = std::string(reason.message());
  }

  bool ended() const {
    absl::MutexLock lock(&mu_);
    return ended_;
  }

  std::shared_ptr<Engine> engine(const std::string& name) const {
    absl::MutexLock lock(&mu_);
    if (engine_ == nullptr || order_.model != name) return nullptr;
    return engine_;
  }

 private:
  // Is the thread.
  void Run() {
    const absl::Status status = JoinAndServe();
    Log(Severity::kInfo, "pipeline group left",
        {{"group", order_.group}, {"rank", order_.rank}, {"status", status}});
    absl::MutexLock lock(&mu_);
    ended_ = true;
    // Says why, until the coordinator has ended the group.
    if (!status.ok()) {
      status_.state = GroupState::kFailed;
      status_.reason = std::string(status.message());
    }
  }

  absl::Status JoinAndServe() {
    ASSIGN_OR_RETURN(const std::unique_ptr<pipeline::GlooEndpoint> endpoint,
                     pipeline::GlooEndpoint::Open(
                         order_.rank, order_.stages, member_.options_.host,
                         kConnectLimit, member_.clock_));
    RETURN_IF_ERROR(Prepare(endpoint->address()));
    ASSIGN_OR_RETURN(const GroupOrder order, AwaitOthers());
    ASSIGN_OR_RETURN(std::shared_ptr<pipeline::Channel> channel,
                     endpoint->Connect(order.addresses));
    RETURN_IF_ERROR(Hold(channel));
    member_.free_memory_();
    const absl::Status served =
        order.rank == 0 ? Lead(order, channel) : Serve(order, *channel);
    if (!served.ok()) channel->Abort(served);
    return served;
  }

  // Finds out what the coordinator plans by.
  absl::Status Prepare(const std::string& address) {
    ASSIGN_OR_RETURN(std::vector<PieceFigures> pieces,
                     CountPieceCosts(folder_, member_.device_));
    ASSIGN_OR_RETURN(std::string digest, model::ModelDigest(folder_));
    absl::MutexLock lock(&mu_);
    status_.address = address;
    status_.pieces = std::move(pieces);
    status_.model_digest = std::move(digest);
    status_.state = GroupState::kJoined;
    return absl::OkStatus();
  }

  absl::StatusOr<GroupOrder> AwaitOthers() {
    absl::MutexLock lock(&mu_);
    const auto something = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return left_ || complete_.has_value();
    };
    mu_.Await(absl::Condition(&something));
    if (left_) return absl::AbortedError("left the group");
    return *complete_;
  }

  // Makes the channel one that Leave ends.
  absl::Status Hold(const std::shared_ptr<pipeline::Channel>& channel) {
    absl::MutexLock lock(&mu_);
    if (left_) return absl::AbortedError("left the group");
    channel_ = channel;
    return absl::OkStatus();
  }

  void BeReady(std::shared_ptr<Engine> engine) {
    absl::MutexLock lock(&mu_);
    if (left_) return;
    engine_ = std::move(engine);
    status_.state = GroupState::kReady;
    // Told once.
    status_.pieces.clear();
  }

  // Offers the engine of rank 0. The thread ends; the engine goes on.
  absl::Status Lead(const GroupOrder& order,
                    std::shared_ptr<pipeline::Channel> channel) {
    ASSIGN_OR_RETURN(
        std::unique_ptr<Engine> engine,
        LoadPipelineEngine(order.model, folder_, order.batch, order.layout,
                           std::move(channel), member_.device_, member_.loras_,
                           member_.events_, member_.clock_));
    BeReady(std::move(engine));
    return absl::OkStatus();
  }

  // Loads this rank's pieces and serves rank 0 until the channel ends.
  absl::Status Serve(const GroupOrder& order, pipeline::Channel& channel) {
    kernels::Device& device = member_.device_;
    ASSIGN_OR_RETURN(const model::ConfigFile file,
                     model::ConfigFile::Open(folder_ + "/unet/config.json"));
    ASSIGN_OR_RETURN(const model::UNetConfig config,
                     model::ReadUNetConfig(file));
    ASSIGN_OR_RETURN(const model::WeightReader weights,
                     model::WeightReader::Open(folder_ + "/unet",
                                               "diffusion_pytorch_model"));
    ASSIGN_OR_RETURN(
        const model::UNet unet,
        model::UNet::LoadPieces(weights, device, config,
                                RangesOf(order.layout, order.rank)));
    RETURN_IF_ERROR(pipeline::CheckLayout(order.layout, unet.pieces().size()));
    ASSIGN_OR_RETURN(const lora::ModelLayers layers,
                     lora::ModelLayers::Read(folder_));
    const auto find = [&](const pipeline::AdapterReference& reference) {
      return member_.loras_.Get({.name = reference.name,
                                 .scale = reference.scale,
                                 .sha256 = reference.sha256,
                                 .allow_unmatched = reference.allow_unmatched},
                                layers);
    };
    const int pictures = PicturesOfMicroBatch(order.batch, order.stages);
    pipeline::StageServer server(
        unet, device,
        {.layout = order.layout,
         .micro_batches = pipeline::MicroBatches(order.stages),
         .max_rows = 2 * int64_t{pictures},
         .events = &member_.events_},
        kMergedBytes, channel, find, member_.clock_);
    BeReady(nullptr);
    return server.Serve();
  }

  const PipelineMember& member_;
  const std::string folder_;
  const GroupOrder order_;
  mutable absl::Mutex mu_;
  GroupStatus status_ ABSL_GUARDED_BY(mu_);
  std::optional<GroupOrder> complete_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<pipeline::Channel> channel_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<Engine> engine_ ABSL_GUARDED_BY(mu_);
  bool left_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // last: it uses the others
};

PipelineMember::PipelineMember(PipelineMemberOptions options,
                               kernels::Device& device, LoraStore& loras,
                               std::function<void()> free_memory,
                               pipeline::StageEvents& events, Clock& clock)
    : options_(std::move(options)),
      device_(device),
      loras_(loras),
      free_memory_(std::move(free_memory)),
      events_(events),
      clock_(clock) {}

PipelineMember::~PipelineMember() = default;

std::optional<GroupStatus> PipelineMember::Status() {
  absl::MutexLock lock(&mu_);
  if (current_ == nullptr) return std::nullopt;
  return current_->Status();
}

void PipelineMember::Obey(const std::optional<GroupOrder>& order) {
  absl::MutexLock lock(&mu_);
  if (current_ != nullptr &&
      (!order.has_value() || order->group != current_->group())) {
    current_->Leave("the coordinator ended the group");
    // Goes on saying which group it leaves until it has left.
    if (!current_->ended()) return;
    current_.reset();
  }
  if (!order.has_value()) return;
  if (current_ == nullptr) {
    Log(Severity::kInfo, "pipeline group joined",
        {{"group", order->group},
         {"rank", order->rank},
         {"stages", order->stages},
         {"model", order->model}});
    current_ = std::make_shared<Membership>(*this, *order);
  }
  if (!order->addresses.empty()) current_->Complete(*order);
}

std::shared_ptr<Engine> PipelineMember::engine(const std::string& name) const {
  absl::MutexLock lock(&mu_);
  return current_ == nullptr ? nullptr : current_->engine(name);
}

void PipelineMember::Fail(const std::shared_ptr<Engine>& engine,
                          const absl::Status& reason) {
  absl::MutexLock lock(&mu_);
  if (current_ != nullptr) current_->Fail(engine, reason);
}

}  // namespace tessera::worker
