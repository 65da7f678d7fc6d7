#include "worker/model/text_keys.h"

#include <utility>

#include "common/status_macros.h"
#include "worker/model/adapter_rows.h"
#include "worker/model/pass.h"

namespace tessera::model {

using kernels::Shape;
using kernels::Tensor;
using kernels::TensorView;

TextKeyProjector::TextKeyProjector(const UNet& unet, kernels::Device& device)
    : unet_(unet), stream_(device) {}

absl::StatusOr<std::vector<Tensor>> TextKeyProjector::Project(
    const TensorView& embeddings, const AdapterSet& adapters) {
  std::vector<Tensor> all;
  kernels::Device& device = stream_.device();
  for (const Linear* layer : unet_.text_keys()) {
    ASSIGN_OR_RETURN(
        Tensor keys,
        Tensor::Create(device, Shape{1, embeddings.shape[1], layer->outputs()},
                       device.compute_dtype()));
    all.push_back(std::move(keys));
  }
  AdapterRows rows(AdapterNet::kUNet, unet_.table(), {adapters.by_row});
  const Pass pass{
      stream_, arena_, rows.empty() ? nullptr : &rows,
      adapters.merged == nullptr ? nullptr : &adapters.merged->unet};
  // Plans once for all prompts: linear layers ask for no memory for adapters,
  // so the plan is the same with and without.
  RETURN_IF_ERROR(arena_.Run(stream_, [&] {
    for (size_t i = 0; i < all.size(); ++i) {
      unet_.text_keys()[i]->Forward(pass, embeddings, all[i].view(), {});
    }
  }));
  return all;
}

}  // namespace tessera::model
