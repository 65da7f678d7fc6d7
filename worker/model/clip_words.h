// CLIP's pattern that cuts a text into words.
#ifndef TESSERA_WORKER_MODEL_CLIP_WORDS_H_
#define TESSERA_WORKER_MODEL_CLIP_WORDS_H_

#include <string>
#include <vector>

namespace tessera::model {

// Returns the matches of <\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|
// 'll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+ in `text`, which is lower case; white
// space between them is dropped. A special token among the matches, which the
// prompt spelled with capitals, is text: it becomes "<|", its name and "|>".
std::vector<std::u32string> SplitClipWords(const std::u32string& text);

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_CLIP_WORDS_H_
