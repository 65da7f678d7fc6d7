// The golden cases of the demo model, for every test that makes them.
#ifndef TESSERA_TESTS_GOLDEN_GOLDEN_CASE_H_
#define TESSERA_TESTS_GOLDEN_GOLDEN_CASE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/device.h"
#include "worker/model/denoise_batch.h"
#include "worker/model/text_to_image.h"

namespace tessera::model {

// Returns the folder of the demo model.
std::string GoldenModel();

// Returns the folders of the cases, sorted by name.
std::vector<std::string> GoldenCases();

// Returns the last part of a case's folder as a name for a test.
std::string GoldenName(const std::string& folder);

// Reads what a case asks for; its LoRAs are packed for `device`.
ImageRequest ReadGoldenCase(const std::string& folder, kernels::Device& device);

// Keeps what one picture computes, pictures in [C, h, w] as the goldens are.
class GoldenRecorder : public DenoiseObserver {
 public:
  void OnPrompt(int64_t ticket, const std::vector<int32_t>& token_ids,
                const kernels::TensorView& embeddings) override;
  void OnNoisePrediction(int64_t ticket, int call,
                         const kernels::TensorView& noise_pred) override;
  void OnLatents(int64_t ticket, const kernels::TensorView& view) override;

  std::vector<int32_t> ids;
  std::vector<float> text;
  std::vector<float> first_prediction;
  std::vector<float> latents;
};

// Makes the picture of `request` alone; empty when it fails, which fails the
// test. `recorder` may be null.
std::vector<uint8_t> MakeGolden(const TextToImage& model, ImageRequest request,
                                GoldenRecorder* recorder);

// Returns |got - reference| / |reference| of an .npy file of f32; infinite, and
// a failure of the test, where it cannot be compared.
double RelativeError(const std::vector<float>& got, const std::string& path);

// Returns the RGB bytes of a PNG file, or none.
std::vector<uint8_t> ReadPng(const std::string& path);

// Returns the peak signal to noise ratio of two pictures, at most 99; 0 for
// unlike sizes.
double Decibels(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b);

}  // namespace tessera::model

#endif  // TESSERA_TESTS_GOLDEN_GOLDEN_CASE_H_
