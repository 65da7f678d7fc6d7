// Where a picture starts.
#ifndef TESSERA_WORKER_MODEL_INITIAL_LATENTS_H_
#define TESSERA_WORKER_MODEL_INITIAL_LATENTS_H_

#include "kernels/tensor.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// Writes the unit noise of `request`, its own or that of its seed, times
// `scale` into latents [1, h, w, C] f32, on the host. Noise is drawn in f32 and
// in the order [C, h, w], as torch draws it, whatever the layout here.
void WriteInitialLatents(const ImageRequest& request, float scale,
                         const kernels::TensorView& latents);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_INITIAL_LATENTS_H_
