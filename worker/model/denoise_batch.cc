#include "worker/model/denoise_batch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status_macros.h"
#include "kernels/ops/sampler_step.h"
#include "kernels/ops/scale_rows.h"
#include "kernels/transfer.h"
#include "worker/model/adapter_set.h"
#include "worker/model/batch_picture.h"
#include "worker/model/batch_rows.h"
#include "worker/model/batch_tensors.h"
#include "worker/model/model_parts.h"
#include "worker/model/noise_predictor.h"
#include "worker/model/picture_decoder.h"
#include "worker/model/prompt_cache.h"

namespace tessera::model {
namespace {

using kernels::DType;
using kernels::SamplerRow;
using kernels::ScaledRow;
using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

// Reads the steady clock; durations for the statistics only, no decision hangs
// on them.
SteadyTime Now() { return std::chrono::steady_clock::now(); }

// Returns the seconds from `start` to now.
double SecondsSince(SteadyTime start) {
  return std::chrono::duration<double>(Now() - start).count();
}

// Returns how many prompts to keep: a prompt and a negative prompt for every
// place of the batch, and some to come back to.
size_t CachedPrompts(int capacity) {
  return static_cast<size_t>(2 * capacity + 16);
}

}  // namespace

// Implements the batch. Places are positions in `pictures_`: row p of the
// latents belongs to picture p, and rows of the UNet are derived from them.
class DenoiseBatch::Impl {
 public:
  Impl(const TextToImage& model, const DenoiseBatchOptions& options)
      : model_(model),
        capacity_(options.capacity),
        observer_(options.observer),
        own_sets_(model, options.merged_bytes),
        sets_(options.sets == nullptr ? own_sets_ : *options.sets),
        own_prompts_(model, CachedPrompts(options.capacity)),
        prompts_(options.prompts == nullptr ? own_prompts_ : *options.prompts),
        own_rows_(model, 2 * options.capacity),
        rows_(options.predictor == nullptr ? own_rows_ : *options.predictor),
        tensors_(model, options.capacity),
        decoder_(model) {}

  bool CanAdmit(const ImageRequest& request) const;
  absl::Status Admit(int64_t ticket, ImageRequest request);
  absl::Status StartStep();
  std::vector<Finished> FinishStep();
  void Remove(int64_t ticket);

  int size() const { return static_cast<int>(pictures_.size()); }
  int capacity() const { return capacity_; }
  const StageSeconds& seconds() const { return seconds_; }

 private:
  absl::Status ShowPrompt(const BatchPicture& picture);
  absl::Status EncodePrompts(BatchPicture& picture);
  absl::Status ArrangeRows();
  absl::Status BeginDenoise();
  absl::Status EndDenoise();
  absl::Status Observe(const TensorView& output);
  Finished Finish(size_t place);
  void Drop(size_t place);

  const TextToImage& model_;
  const int capacity_;
  DenoiseObserver* const observer_;
  AdapterSets own_sets_;  // holds nothing where others are shared
  AdapterSets& sets_;
  PromptCache own_prompts_;  // likewise
  PromptCache& prompts_;
  BatchRows own_rows_;  // holds nothing where another predicts
  NoisePredictor& rows_;
  BatchTensors tensors_;
  PictureDecoder decoder_;
  StageSeconds seconds_;

  std::vector<BatchPicture> pictures_;
  bool arranged_ = false;                 // rows_ follows pictures_
  bool started_ = false;                  // a UNet call is under way
  absl::Status start_status_;             // how it began
  std::vector<SamplerRow> picture_rows_;  // rows of each picture, arranged
  int64_t num_rows_ = 0;
  Tensor guided_;  // as latents, for the observer, with the device
};

// Compares resolved sizes, for a request may leave them to the model.
bool DenoiseBatch::Impl::CanAdmit(const ImageRequest& request) const {
  if (started_) return false;
  if (pictures_.empty()) return true;
  const ImageRequest resolved = model_.Resolve(request);
  return size() < capacity_ && resolved.width == tensors_.width() &&
         resolved.height == tensors_.height();
}

// Shows a picture's prompt to the observer.
absl::Status DenoiseBatch::Impl::ShowPrompt(const BatchPicture& picture) {
  const EncodedPrompt& prompt = *picture.prompt;
  ASSIGN_OR_RETURN(
      const Tensor embeddings,
      kernels::ToHost(model_.parts().device, prompt.embeddings.view()));
  const Shape& shape = embeddings.shape();
  observer_->OnPrompt(picture.ticket, prompt.token_ids,
                      embeddings.view().Reshaped(Shape{shape[1], shape[2]}));
  return absl::OkStatus();
}

// Finds or makes both prompts; at a guidance of 1 or less the negative one has
// no weight, and the picture takes one UNet row.
absl::Status DenoiseBatch::Impl::EncodePrompts(BatchPicture& picture) {
  const SteadyTime start = Now();
  const ImageRequest& request = picture.request;
  PromptUse use{
      .text = request.prompt, .width = request.width, .height = request.height};
  ASSIGN_OR_RETURN(picture.prompt, prompts_.Get(use, *picture.adapters));
  if (request.guidance_scale > 1) {
    use.text = request.negative_prompt;
    use.zeros = use.text.empty() && model_.parts().zero_empty_negative;
    ASSIGN_OR_RETURN(picture.negative, prompts_.Get(use, *picture.adapters));
  }
  seconds_.text_encode += SecondsSince(start);
  return absl::OkStatus();
}

absl::Status DenoiseBatch::Impl::Admit(int64_t ticket, ImageRequest request) {
  const SteadyTime start = Now();
  RETURN_IF_ERROR(model_.Validate(request));
  if (!CanAdmit(request)) {
    return absl::FailedPreconditionError(
        // Names the ticket: the caller knows the picture by it.
        absl::StrCat("the batch has no place for the picture: ", ticket));
  }
  BatchPicture picture{.ticket = ticket, .admitted = start};
  picture.request = model_.Resolve(std::move(request));
  ASSIGN_OR_RETURN(picture.adapters,
                   sets_.Prepare(std::move(picture.request.adapters)));
  ASSIGN_OR_RETURN(
      picture.plan,
      PlanSampler(picture.request.sampler, model_.parts().sampler_config,
                  picture.request.num_inference_steps));
  // Touches no row of a picture that is in the batch, here and below.
  RETURN_IF_ERROR(EncodePrompts(picture));
  RETURN_IF_ERROR(
      tensors_.UseSize(picture.request.width, picture.request.height));
  tensors_.WriteNoise(picture.request, picture.plan.init_noise_sigma, size());
  RETURN_IF_ERROR(tensors_.stream().TakeError());
  if (observer_ != nullptr) RETURN_IF_ERROR(ShowPrompt(picture));
  pictures_.push_back(std::move(picture));
  arranged_ = false;
  return absl::OkStatus();
}

// Lays out the UNet's rows: for each picture the negative prompt, if any, then
// the prompt. Does nothing while the same pictures are in the batch.
absl::Status DenoiseBatch::Impl::ArrangeRows() {
  if (arranged_) return absl::OkStatus();
  std::vector<BatchRow> rows;
  picture_rows_.resize(pictures_.size());
  for (const size_t place : PlacesByWeights(pictures_)) {
    const BatchPicture& picture = pictures_[place];
    SamplerRow row{.guidance = picture.request.guidance_scale};
    if (picture.negative != nullptr) {
      row.uncond = static_cast<int64_t>(rows.size());
      // Gives both rows the picture's adapters, as diffusers applies them to
      // the whole model.
      rows.push_back({picture.negative, picture.adapters});
    }
    row.cond = static_cast<int64_t>(rows.size());
    rows.push_back({picture.prompt, picture.adapters});
    picture_rows_[place] = row;
  }
  num_rows_ = static_cast<int64_t>(rows.size());
  RETURN_IF_ERROR(rows_.Arrange(std::move(rows)));
  arranged_ = true;
  return absl::OkStatus();
}

// Begins one UNet call, each picture at its own timestep.
absl::Status DenoiseBatch::Impl::BeginDenoise() {
  RETURN_IF_ERROR(ArrangeRows());
  std::vector<ScaledRow> inputs(static_cast<size_t>(num_rows_));
  for (size_t i = 0; i < pictures_.size(); ++i) {
    const BatchPicture& picture = pictures_[i];
    const SamplerStep& step =
        picture.plan.steps[static_cast<size_t>(picture.step)];
    SamplerRow& row = picture_rows_[i];
    // Fills in the factors of this step; the rows stay as they were arranged.
    row.x_scale = step.sample_scale;
    row.model_scale = step.output_scale;
    for (const int64_t index : {row.cond, row.uncond}) {
      if (index < 0) continue;
      inputs[static_cast<size_t>(index)] = {static_cast<int64_t>(i),
                                            step.input_scale};
      tensors_.host_timesteps()[index] = step.timestep;
    }
  }
  kernels::Stream& stream = tensors_.stream();
  const TensorView latents = tensors_.Latents(size());
  const TensorView samples = tensors_.Samples(num_rows_);
  const TensorView outputs = tensors_.Outputs(num_rows_);
  const TensorView timesteps = tensors_.SendTimesteps(num_rows_);
  // Scales each picture's latents into all of its rows.
  kernels::ScaleRows(stream, {.x = latents, .rows = inputs, .out = samples});
  RETURN_IF_ERROR(stream.TakeError());
  return rows_.Start(samples, timesteps, outputs);
}

// Waits for the call and makes one sampler step of every picture.
absl::Status DenoiseBatch::Impl::EndDenoise() {
  RETURN_IF_ERROR(start_status_);
  RETURN_IF_ERROR(rows_.Finish());
  kernels::Stream& stream = tensors_.stream();
  const TensorView latents = tensors_.Latents(size());
  const TensorView outputs = tensors_.Outputs(num_rows_);
  // Guides and updates every picture in one pass, in place.
  kernels::SamplerStep(stream, {.x = latents,
                                .model_output = outputs,
                                .rows = picture_rows_,
                                .out = latents});
  // Waits here, once a step.
  RETURN_IF_ERROR(stream.Synchronize());
  return observer_ == nullptr ? absl::OkStatus() : Observe(outputs);
}

// Shows the predictions after guidance: the sampler's step without the latents.
absl::Status DenoiseBatch::Impl::Observe(const TensorView& output) {
  std::vector<SamplerRow> plain = picture_rows_;
  for (SamplerRow& row : plain) {
    row.x_scale = 0;
    row.model_scale = 1;
  }
  const Shape& shape = output.shape;
  // Starts from zeros where the batch is of another size than the last.
  const Shape all{capacity_, shape[1], shape[2], shape[3]};
  kernels::Device& device = model_.parts().device;
  if (guided_.shape() != all) {
    ASSIGN_OR_RETURN(guided_, Tensor::Create(device, all, DType::kF32));
  }
  const TensorView guided = guided_.view().Slice(0, size());
  kernels::SamplerStep(
      tensors_.stream(),
      // Multiplies the old contents by zero and adds the guided output.
      {.x = guided, .model_output = output, .rows = plain, .out = guided});
  RETURN_IF_ERROR(tensors_.stream().TakeError());
  ASSIGN_OR_RETURN(const Tensor shown, kernels::ToHost(device, guided));
  for (size_t i = 0; i < pictures_.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    observer_->OnNoisePrediction(
        pictures_[i].ticket, pictures_[i].step,
        shown.view()
            .Slice(row, row + 1)
            .Reshaped(Shape{shape[1], shape[2], shape[3]}));
  }
  return absl::OkStatus();
}

absl::Status DenoiseBatch::Impl::StartStep() {
  CHECK(!started_);
  if (pictures_.empty()) return absl::OkStatus();
  const SteadyTime start = Now();
  started_ = true;
  start_status_ = BeginDenoise();
  seconds_.denoise += SecondsSince(start);
  return start_status_;
}

// Ends all pictures on an error, for it is of the call and not of one of them.
std::vector<Finished> DenoiseBatch::Impl::FinishStep() {
  std::vector<Finished> finished;
  if (!std::exchange(started_, false)) return finished;
  const SteadyTime start = Now();
  const absl::Status status = EndDenoise();
  seconds_.denoise += SecondsSince(start);
  seconds_.unet_calls += rows_.calls();
  if (!status.ok()) {
    // Leaves the most room to the fewer pictures that may come instead.
    if (absl::IsResourceExhausted(status)) decoder_.ReleaseMemory();
    for (const BatchPicture& picture : pictures_) {
      finished.push_back(
          {picture.ticket, status, SecondsSince(picture.admitted)});
    }
    pictures_.clear();
    arranged_ = false;
    return finished;
  }
  // Advances every picture; `i` stays where one leaves, for the next moves
  // there.
  for (size_t i = 0; i < pictures_.size();) {
    if (++pictures_[i].step <
        static_cast<int>(pictures_[i].plan.steps.size())) {
      ++i;
      continue;
    }
    finished.push_back(Finish(i));
    Drop(i);
  }
  return finished;
}

// Decodes the latents of a place; the picture stays in the batch until Drop.
Finished DenoiseBatch::Impl::Finish(size_t place) {
  const BatchPicture& picture = pictures_[place];
  const SteadyTime start = Now();
  const absl::StatusOr<TensorView> read =
      tensors_.Read(static_cast<int64_t>(place));
  if (!read.ok()) {
    return {picture.ticket, read.status(), SecondsSince(picture.admitted)};
  }
  const TensorView& latents = *read;
  if (observer_ != nullptr) {
    const Shape& shape = latents.shape;
    observer_->OnLatents(picture.ticket,
                         latents.Reshaped(Shape{shape[1], shape[2], shape[3]}));
  }
  absl::StatusOr<Image> image = decoder_.Decode(latents);
  // Tries once more in the memory of UNet calls, of which none is queued now.
  if (absl::IsResourceExhausted(image.status())) {
    own_rows_.ReleaseMemory();
    image = decoder_.Decode(latents);
  }
  seconds_.vae_decode += SecondsSince(start);
  return {picture.ticket, std::move(image), SecondsSince(picture.admitted)};
}

// Closes the gap, so that the latents stay in the order of the pictures.
void DenoiseBatch::Impl::Drop(size_t place) {
  for (size_t i = place + 1; i < pictures_.size(); ++i) {
    tensors_.MoveDown(static_cast<int64_t>(i));
  }
  pictures_.erase(pictures_.begin() + static_cast<std::ptrdiff_t>(place));
  arranged_ = false;
}

void DenoiseBatch::Impl::Remove(int64_t ticket) {
  CHECK(!started_);
  const auto found = std::find_if(
      pictures_.begin(), pictures_.end(),
      [&](const BatchPicture& picture) { return picture.ticket == ticket; });
  if (found == pictures_.end()) return;
  Drop(static_cast<size_t>(found - pictures_.begin()));
}

DenoiseBatch::DenoiseBatch(const TextToImage& model,
                           const DenoiseBatchOptions& options)
    : impl_(std::make_unique<Impl>(model, options)) {}

DenoiseBatch::~DenoiseBatch() = default;

bool DenoiseBatch::CanAdmit(const ImageRequest& request) const {
  return impl_->CanAdmit(request);
}

absl::Status DenoiseBatch::Admit(int64_t ticket, ImageRequest request) {
  return impl_->Admit(ticket, std::move(request));
}

std::vector<Finished> DenoiseBatch::Step() {
  // FinishStep gives an error to every picture.
  (void)impl_->StartStep();
  return impl_->FinishStep();
}

absl::Status DenoiseBatch::StartStep() { return impl_->StartStep(); }

std::vector<Finished> DenoiseBatch::FinishStep() { return impl_->FinishStep(); }

void DenoiseBatch::Remove(int64_t ticket) { impl_->Remove(ticket); }

int DenoiseBatch::size() const { return impl_->size(); }

int DenoiseBatch::capacity() const { return impl_->capacity(); }

const StageSeconds& DenoiseBatch::seconds() const { return impl_->seconds(); }

}  // namespace tessera::model
