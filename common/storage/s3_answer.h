// What an S3 server answers, and what its errors mean. Pure.
#ifndef TESSERA_COMMON_STORAGE_S3_ANSWER_H_
#define TESSERA_COMMON_STORAGE_S3_ANSWER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/storage/http.h"

namespace tessera::storage {

// Returns the contents of every element <`tag`>, in order, still encoded.
// Elements of the same name do not nest in S3's answers.
std::vector<std::string_view> XmlElements(std::string_view xml,
                                          std::string_view tag);

// Returns the text of the first element <`tag`>, decoded; empty without one.
std::string XmlText(std::string_view xml, std::string_view tag);

// Returns OK for an answer of 2xx that is no error document, else an error
// "WHAT: CODE (STATUS): MESSAGE", S3's own code in it:
//
//   NOT_FOUND           no such key or upload
//   FAILED_PRECONDITION no such bucket, or one of another region
//   PERMISSION_DENIED   wrong credentials, or rights that are missing
//   RESOURCE_EXHAUSTED  a quota or disk is full
//   UNAVAILABLE         throttled, a server's own fault, credentials that have
//                       expired: what may pass
//   OUT_OF_RANGE        a range past the end
//   INVALID_ARGUMENT    anything else
absl::Status StatusOf(const HttpAnswer& answer, std::string_view what);

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_S3_ANSWER_H_
