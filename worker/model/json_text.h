// What a JSON text must be like before a parser may see it.
#ifndef TESSERA_WORKER_MODEL_JSON_TEXT_H_
#define TESSERA_WORKER_MODEL_JSON_TEXT_H_

#include <string_view>

#include "absl/status/status.h"

namespace tessera::model {

// Says whether `text` is fit for the parser: at most `max_depth` lists and
// objects are open at once, for values are printed by recursion, and no byte is
// zero, which the parser takes for the end. The parser looks at the rest.
// Takes time linear in the text and no memory. INVALID_ARGUMENT says why not.
absl::Status CheckJsonText(std::string_view text, int max_depth);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_JSON_TEXT_H_
