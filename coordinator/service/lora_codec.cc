#include "coordinator/service/lora_codec.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/blob_store.h"
#include "common/status_macros.h"
#include "coordinator/field_rules.h"
#include "coordinator/lora_name.h"

namespace tessera::coordinator {
namespace {

// Puts the name of a field before the reason of a check.
absl::Status InField(const char* field, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", status.message()));
}

}  // namespace

absl::StatusOr<LoraHeader> DecodeLoraHeader(const v1::LoraHeader& proto) {
  // A push gives the digest apart: "name@sha256" is no name here.
  RETURN_IF_ERROR(InField("name", CheckName(proto.name())));
  RETURN_IF_ERROR(CheckDigest(proto.sha256()));
  return LoraHeader{.name = {proto.name(), proto.sha256()},
                    .size_bytes = proto.size_bytes(),
                    .offset = proto.offset()};
}

absl::StatusOr<LoraName> DecodeLoraName(const std::string& name) {
  absl::StatusOr<LoraName> parsed = ParseLoraName(name);
  RETURN_IF_ERROR(InField("name", parsed.status()));
  return parsed;
}

absl::StatusOr<std::string> DecodeLoraPageToken(const std::string& token) {
  // The name need not exist: it may have been deleted since, and the list goes
  // on behind where it was.
  if (!token.empty()) RETURN_IF_ERROR(InField("page_token", CheckName(token)));
  return token;
}

v1::Lora EncodeLora(const LoraEntry& entry) {
  v1::Lora proto;
  proto.set_name(entry.lora.name);
  proto.set_sha256(entry.lora.sha256);
  proto.set_size_bytes(entry.lora.size_bytes);
  proto.set_dialect(entry.lora.facts.dialect);
  proto.set_layers(entry.lora.facts.layers);
  // Whole seconds and what is left, as Timestamp wants them.
  const timespec time = absl::ToTimespec(entry.lora.create_time);
  proto.mutable_create_time()->set_seconds(time.tv_sec);
  proto.mutable_create_time()->set_nanos(static_cast<int32_t>(time.tv_nsec));
  proto.set_in_use(entry.in_use);
  return proto;
}

v1::ListLorasResponse EncodeLoraPage(const LoraPage& page) {
  v1::ListLorasResponse response;
  for (const LoraEntry& entry : page.loras) {
    *response.add_loras() = EncodeLora(entry);
  }
  // The last name is where the next page begins; the last page has none.
  if (!page.last) response.set_next_page_token(page.loras.back().lora.name);
  return response;
}

}  // namespace tessera::coordinator
