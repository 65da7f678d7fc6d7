// Typed access to JSON values with errors fit for users.
#ifndef TESSERA_COORDINATOR_JSON_VALUE_H_
#define TESSERA_COORDINATOR_JSON_VALUE_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "simdjson.h"

namespace tessera::coordinator {

// Each returns the value, or INVALID_ARGUMENT "must be …, got …". Integers are
// JSON numbers without fraction and exponent; ReadInt64 clamps what only fits
// uint64 to the largest int64, which no range of ours holds.
absl::StatusOr<std::string_view> ReadString(simdjson::dom::element value);
absl::StatusOr<int64_t> ReadInt64(simdjson::dom::element value);
absl::StatusOr<uint64_t> ReadUint64(simdjson::dom::element value);
absl::StatusOr<double> ReadNumber(simdjson::dom::element value);

// Returns "must be `wanted`, got …" for a value of another type.
absl::Status WrongType(std::string_view wanted, simdjson::dom::element value);

// Returns why a text is not JSON: its UTF-8, a number or its grammar.
absl::Status NotJson(simdjson::error_code error);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_JSON_VALUE_H_
