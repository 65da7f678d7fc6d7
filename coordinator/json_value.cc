#include "coordinator/json_value.h"

#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "coordinator/field_rules.h"

namespace tessera::coordinator {
namespace {

using simdjson::dom::element_type;

// Says what a value is, short enough for a message.
std::string Described(simdjson::dom::element value) {
  switch (value.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::STRING:
      return Quoted(value.get_string().value_unsafe());
    case element_type::NULL_VALUE:
      return "null";
    case element_type::BOOL:
      return value.get_bool().value_unsafe() ? "true" : "false";
    case element_type::INT64:
      return absl::StrCat(value.get_int64().value_unsafe());
    case element_type::UINT64:
      return absl::StrCat(value.get_uint64().value_unsafe());
    // Says "fraction" because 3.0 is refused where an integer is wanted.
    case element_type::DOUBLE:
      return absl::StrCat("the fraction ", value.get_double().value_unsafe());
  }
  // simdjson may learn types that we do not know.
  return "something else";
}

}  // namespace

absl::Status WrongType(std::string_view wanted, simdjson::dom::element value) {
  return absl::InvalidArgumentError(absl::StrCat(
      "must be ", std::string(wanted), ", got ", Described(value)));
}

absl::StatusOr<std::string_view> ReadString(simdjson::dom::element value) {
  if (!value.is_string()) return WrongType("a string", value);
  return value.get_string().value_unsafe();
}

absl::StatusOr<int64_t> ReadInt64(simdjson::dom::element value) {
  if (value.is_int64()) return value.get_int64().value_unsafe();
  // Too large in any case; the range check then says so with our limits.
  if (value.is_uint64()) return std::numeric_limits<int64_t>::max();
  return WrongType("an integer", value);
}

absl::StatusOr<uint64_t> ReadUint64(simdjson::dom::element value) {
  // simdjson calls a number uint64 only when it is above the largest int64;
  // is_uint64 holds for smaller ones that are not negative as well.
  if (value.is_uint64()) return value.get_uint64().value_unsafe();
  return WrongType("an integer from 0 to 18446744073709551615", value);
}

absl::StatusOr<double> ReadNumber(simdjson::dom::element value) {
  // Integers too, as floating point.
  if (!value.is_number()) return WrongType("a number", value);
  return value.get_double().value_unsafe();
}

// Tells apart what users can mend differently; the rest keeps simdjson's own
// words.
absl::Status NotJson(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return absl::InvalidArgumentError("not valid UTF-8");
    case simdjson::NUMBER_ERROR:
      return absl::InvalidArgumentError(
          "not valid JSON: a number is malformed or out of range");
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("not valid JSON: ", simdjson::error_message(error)));
  }
}

}  // namespace tessera::coordinator
