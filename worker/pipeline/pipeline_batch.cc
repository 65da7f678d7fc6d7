#include "worker/pipeline/pipeline_batch.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status_macros.h"
#include "worker/model/adapter_set.h"
#include "worker/model/model_parts.h"
#include "worker/model/prompt_cache.h"
#include "worker/pipeline/slot_predictor.h"

namespace tessera::pipeline {
namespace {

// Prompts to come back to, beside two for every picture.
constexpr int kMorePrompts = 16;

// Returns what the stage of rank 0 is made for.
StageOptions OptionsOfStage(const PipelineBatchOptions& options) {
  return {.layout = options.layout,
          .micro_batches = MicroBatches(options.layout.ranks),
          .max_rows = 2 * int64_t{options.pictures},
          .patience = options.patience,
          .events = options.events};
}

}  // namespace

// Holds a DenoiseBatch a micro-batch. Between two calls of Step all
// micro-batches but the one that was finished last are on their way.
class PipelineBatch::Impl {
 public:
  Impl(const model::TextToImage& model, const PipelineBatchOptions& options,
       Channel& channel, AdapterDescriber describe, Clock& clock);

  absl::Status Admit(int64_t ticket, model::ImageRequest request);
  std::vector<model::Finished> Step();
  void Remove(int64_t ticket);

  int capacity() const {
    return options_.pictures * static_cast<int>(slots_.size());
  }
  model::StageSeconds seconds() const;
  absl::Status status() const { return status_; }

 private:
  // A picture that waits for its micro-batch's next call.
  struct Waiting {
    int64_t id;
    model::ImageRequest request;
  };
  struct Slot {
    std::unique_ptr<SlotPredictor> predictor;
    std::unique_ptr<model::DenoiseBatch> batch;
    std::vector<Waiting> waiting;
    std::vector<int64_t> entered;  // numbers of the pictures in the batch
    bool empty = true;             // on its way without pictures
  };

  int CountPictures(const Slot& slot) const;
  absl::Status Start(Slot& slot);
  void Keep(const std::vector<model::Finished>& finished);
  std::vector<model::Finished> FailAll();

  const model::TextToImage& model_;
  const PipelineBatchOptions options_;
  Channel& channel_;
  const AdapterDescriber describe_;
  Stage stage_;
  // Shared by all micro-batches.
  model::AdapterSets sets_;
  model::PromptCache prompts_;
  std::vector<Slot> slots_;
  VisitOrder order_;
  absl::Status status_;
  // Numbers pictures, for tickets come again while a dropped picture is on its
  // way. Tickets by number; what is not here was dropped.
  int64_t next_id_ = 0;
  std::map<int64_t, int64_t> tickets_;
  std::vector<model::Finished> finished_;  // by number, to be returned
};

PipelineBatch::Impl::Impl(const model::TextToImage& model,
                          const PipelineBatchOptions& options, Channel& channel,
                          AdapterDescriber describe, Clock& clock)
    : model_(model),
      options_(options),
      channel_(channel),
      describe_(std::move(describe)),
      stage_(model.parts().unet, model.parts().device, OptionsOfStage(options),
             channel, clock),
      sets_(model, options.merged_bytes),
      prompts_(model,
               static_cast<size_t>(2 * options.pictures *
                                       MicroBatches(options.layout.ranks) +
                                   kMorePrompts)),
      slots_(static_cast<size_t>(MicroBatches(options.layout.ranks))),
      order_(options.layout, 0, MicroBatches(options.layout.ranks)) {
  CHECK(channel.rank() == 0 && options.layout.ranks > 1);
  for (size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    slot.predictor = std::make_unique<SlotPredictor>(
        static_cast<int>(i), stage_, channel, model.parts().device, describe_);
    slot.batch = std::make_unique<model::DenoiseBatch>(
        model, model::DenoiseBatchOptions{.capacity = options.pictures,
                                          .predictor = slot.predictor.get(),
                                          .sets = &sets_,
                                          .prompts = &prompts_});
  }
}

// Counts the pictures of a slot that were not dropped.
int PipelineBatch::Impl::CountPictures(const Slot& slot) const {
  int64_t count = 0;
  for (const Waiting& waiting : slot.waiting) {
    count += tickets_.contains(waiting.id) ? 1 : 0;
  }
  for (const int64_t id : slot.entered) count += tickets_.contains(id) ? 1 : 0;
  return static_cast<int>(count);
}

// Spreads pictures evenly: the emptiest micro-batch takes the next one.
absl::Status PipelineBatch::Impl::Admit(int64_t ticket,
                                        model::ImageRequest request) {
  RETURN_IF_ERROR(status_);
  RETURN_IF_ERROR(model_.Validate(request));
  Slot& slot = *std::min_element(slots_.begin(), slots_.end(),
                                 [&](const Slot& a, const Slot& b) {
                                   return CountPictures(a) < CountPictures(b);
                                 });
  if (CountPictures(slot) >= options_.pictures) {
    return absl::FailedPreconditionError(
        absl::StrCat("the batch has no place for the picture: ", ticket));
  }
  tickets_[next_id_] = ticket;
  slot.waiting.push_back({next_id_++, std::move(request)});
  return absl::OkStatus();
}

// Drops removed pictures, lets waiting ones in and sends the slot on its way.
absl::Status PipelineBatch::Impl::Start(Slot& slot) {
  std::erase_if(slot.entered, [&](int64_t id) {
    if (tickets_.contains(id)) return false;
    slot.batch->Remove(id);
    return true;
  });
  for (Waiting& waiting : std::exchange(slot.waiting, {})) {
    if (!tickets_.contains(waiting.id)) continue;
    const absl::Status admitted =
        slot.batch->Admit(waiting.id, std::move(waiting.request));
    if (admitted.ok()) {
      slot.entered.push_back(waiting.id);
    } else {
      Keep({{waiting.id, admitted, 0}});
    }
  }
  slot.empty = slot.batch->size() == 0;
  return slot.empty ? slot.predictor->StartEmpty() : slot.batch->StartStep();
}

// Notes what has left, under its ticket, unless it was dropped.
void PipelineBatch::Impl::Keep(const std::vector<model::Finished>& finished) {
  for (const model::Finished& picture : finished) {
    const auto ticket = tickets_.find(picture.ticket);
    if (ticket == tickets_.end()) continue;
    finished_.push_back({ticket->second, picture.image, picture.seconds});
    tickets_.erase(ticket);
  }
}

// Makes the visits of rank 0 up to the next one that brings a micro-batch back.
std::vector<model::Finished> PipelineBatch::Impl::Step() {
  while (status_.ok()) {
    const Visit visit = order_.Next();
    Slot& slot = slots_[static_cast<size_t>(visit.micro_batch)];
    if (visit.segment == 0) {
      status_ = Start(slot);
      continue;
    }
    if (!slot.empty) {
      Keep(slot.batch->FinishStep());
      status_ = slot.predictor->finish_status();
    }
    break;
  }
  if (!status_.ok()) return FailAll();
  return std::exchange(finished_, {});
}

// Gives every picture the pipeline's error; the other ranks learn of it.
std::vector<model::Finished> PipelineBatch::Impl::FailAll() {
  channel_.Abort(status_);
  std::vector<model::Finished> failed = std::exchange(finished_, {});
  for (const auto& [id, ticket] : std::exchange(tickets_, {})) {
    failed.push_back({ticket, status_, 0});
  }
  return failed;
}

// Leaves a picture that is on its way in its micro-batch: it is dropped when it
// is done.
void PipelineBatch::Impl::Remove(int64_t ticket) {
  std::erase_if(tickets_, [&](const auto& numbered) {
    return numbered.second == ticket;
  });
}

model::StageSeconds PipelineBatch::Impl::seconds() const {
  model::StageSeconds sum;
  for (const Slot& slot : slots_) {
    const model::StageSeconds& one = slot.batch->seconds();
    sum.text_encode += one.text_encode;
    sum.denoise += one.denoise;
    sum.vae_decode += one.vae_decode;
    sum.unet_calls += one.unet_calls;
  }
  return sum;
}

PipelineBatch::PipelineBatch(const model::TextToImage& model,
                             const PipelineBatchOptions& options,
                             Channel& channel, AdapterDescriber describe,
                             Clock& clock)
    : impl_(std::make_unique<Impl>(model, options, channel, std::move(describe),
                                   clock)) {}

PipelineBatch::~PipelineBatch() = default;

absl::Status PipelineBatch::Admit(int64_t ticket, model::ImageRequest request) {
  return impl_->Admit(ticket, std::move(request));
}

std::vector<model::Finished> PipelineBatch::Step() { return impl_->Step(); }

void PipelineBatch::Remove(int64_t ticket) { impl_->Remove(ticket); }

int PipelineBatch::capacity() const { return impl_->capacity(); }

model::StageSeconds PipelineBatch::seconds() const { return impl_->seconds(); }

absl::Status PipelineBatch::status() const { return impl_->status(); }

}  // namespace tessera::pipeline
