// What a loaded model consists of.
#ifndef TESSERA_WORKER_MODEL_MODEL_PARTS_H_
#define TESSERA_WORKER_MODEL_MODEL_PARTS_H_

#include "kernels/device.h"
#include "worker/model/clip_text_encoder.h"
#include "worker/model/clip_tokenizer.h"
#include "worker/model/sampler.h"
#include "worker/model/text_to_image.h"
#include "worker/model/unet.h"
#include "worker/model/unet_config.h"
#include "worker/model/vae_config.h"
#include "worker/model/vae_decoder.h"

namespace tessera::model {

// Immutable once loaded.
struct TextToImage::Parts {
  kernels::Device& device;
  ClipTokenizer tokenizer;
  ClipTextEncoder text_encoder;
  UNetConfig unet_config;
  UNet unet;
  VaeConfig vae_config;
  VaeDecoder vae;
  SamplerConfig sampler_config;
  ModelFacts facts;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_MODEL_PARTS_H_
