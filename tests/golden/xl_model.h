// A small model of the XL kind whose weights need not be stored.
#ifndef TESSERA_TESTS_GOLDEN_XL_MODEL_H_
#define TESSERA_TESTS_GOLDEN_XL_MODEL_H_

#include <string>
#include <vector>

#include "worker/model/text_to_image.h"

namespace tessera::golden {

// Makes `folder` the model that make_xl.py describes; the tokenizers are those
// of the model in `base`, the second padding with "!".
void WriteXlModel(const std::string& folder, const std::string& base);

// What a case asks for, and its name.
struct XlCase {
  std::string name;
  model::ImageRequest request;
};

// Returns the cases of make_xl.py.
std::vector<XlCase> XlCases();

// Returns the path of a file beside the cases.
std::string XlGolden(const std::string& file);

}  // namespace tessera::golden

#endif  // TESSERA_TESTS_GOLDEN_XL_MODEL_H_
