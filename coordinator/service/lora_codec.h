// The messages of LoraService to and from domain types.
#ifndef TESSERA_COORDINATOR_SERVICE_LORA_CODEC_H_
#define TESSERA_COORDINATOR_SERVICE_LORA_CODEC_H_

#include <string>

#include "absl/status/statusor.h"
#include "coordinator/coordinator.h"
#include "coordinator/lora_library.h"
#include "tessera/v1/lora_service.pb.h"

namespace tessera::coordinator {

// Decodes the first message of an upload. Errors: INVALID_ARGUMENT "field:
// reason"; sizes are the library's to check.
absl::StatusOr<LoraHeader> DecodeLoraHeader(const v1::LoraHeader& proto);

// Decodes "name" or "name@sha256". Errors: INVALID_ARGUMENT "name: reason".
absl::StatusOr<LoraName> DecodeLoraName(const std::string& name);

// Decodes the token of a page, which is the last name of the page before; empty
// for the first page. Errors: INVALID_ARGUMENT for what cannot be a name.
absl::StatusOr<std::string> DecodeLoraPageToken(const std::string& token);

v1::Lora EncodeLora(const LoraEntry& entry);
v1::ListLorasResponse EncodeLoraPage(const LoraPage& page);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_SERVICE_LORA_CODEC_H_
