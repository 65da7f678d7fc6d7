// What a loaded model consists of.
#ifndef TESSERA_WORKER_MODEL_MODEL_PARTS_H_
#define TESSERA_WORKER_MODEL_MODEL_PARTS_H_

#include <memory>
#include <optional>

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

// The text encoder that models of the XL kind have beside the first.
struct SecondText {
  ClipTokenizer tokenizer;
  ClipTextEncoder encoder;
};

// Immutable once loaded.
struct TextToImage::Parts {
  kernels::Device& device;
  ClipTokenizer tokenizer;
  ClipTextEncoder text_encoder;
  std::optional<SecondText> second_text;
  // Whether an empty negative prompt stands for embeddings of zeros.
  bool zero_empty_negative = false;
  UNetConfig unet_config;
  UNet unet;
  VaeConfig vae_config;
  // As `device`, but in the type that the VAE computes in; null: in the same.
  std::unique_ptr<kernels::Device> upcast_device;
  VaeDecoder vae;
  SamplerConfig sampler_config;
  ModelFacts facts;

  // Where the VAE's ops run.
  kernels::Device& vae_device() const {
    return upcast_device == nullptr ? device : *upcast_device;
  }
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_MODEL_PARTS_H_
