#include "worker/model/safetensors.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"
#include "worker/model/file_shape.h"
#include "worker/model/json_text.h"

namespace tessera::model {
namespace {

using kernels::DType;
using kernels::Shape;
using kernels::TensorView;
using nlohmann::json;

// The limit of the format's own reader (MAX_HEADER_SIZE).
constexpr uint64_t kMaxHeaderBytes = 100'000'000;
// Deeper than any header, which nests three: file, tensor, list.
constexpr int kMaxDepth = 8;

// The format's types that no op reads, and the bytes of an element.
struct OtherType {
  std::string_view name;
  int64_t bytes = 0;
};
constexpr OtherType kOtherTypes[] = {{"BOOL", 1},    {"U8", 1},      {"I8", 1},
                                     {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"I16", 2},
                                     {"U16", 2},     {"U32", 4},     {"F64", 8},
                                     {"I64", 8},     {"U64", 8}};

// Returns the bytes of an element of such a type, or 0 for no type.
int64_t OtherTypeBytes(const std::string& name) {
  for (const OtherType& type : kOtherTypes) {
    if (type.name == name) return type.bytes;
  }
  return 0;
}

// Returns the type that a header names, if ops can read it.
std::optional<DType> DTypeOf(const std::string& name) {
  if (name == "F32") return DType::kF32;
  if (name == "F16") return DType::kF16;
  if (name == "BF16") return DType::kBF16;
  if (name == "I32") return DType::kI32;
  return std::nullopt;
}

// Parses `text`. Says in `why` what the parser alone would let pass: a name
// that repeats, and what CheckJsonText refuses. Malformed text gives a
// discarded value.
json ParseStrictly(std::string_view text, std::string& why) {
  // Holds the names seen so far in every object that is open.
  std::vector<std::set<std::string>> keys;
  const auto callback = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys.back().insert(key).second) why = "repeated name: " + key;
    }
    return true;
  };
  const absl::Status fit = CheckJsonText(text, kMaxDepth);
  if (!fit.ok()) {
    why = std::string(fit.message());
    return json(json::value_t::discarded);
  }
  return json::parse(text, callback, false);
}

// One tensor's place in the data.
struct Extent {
  uint64_t begin = 0;
  uint64_t end = 0;
  std::string name;
};

// Reads the entries of one header; `label` names the file in its errors.
// Collects extents for the check of the whole.
class HeaderReader {
 public:
  HeaderReader(std::string_view data, const std::string& label)
      : data_(data), label_(label) {}

  // Returns "label: not a valid safetensors file: what: name".
  absl::Status Error(std::string_view what, std::string_view name) const {
    return absl::InvalidArgumentError(absl::StrCat(
        label_, ": not a valid safetensors file: ", std::string(what), ": ",
        std::string(name)));
  }

  // Reads a shape of at most five axes whose elements can be counted.
  absl::StatusOr<Shape> ReadShape(const std::string& name, const json& entry) {
    const auto shape = entry.find("shape");
    if (shape == entry.end() || !shape->is_array()) {
      return Error("a tensor has no shape", name);
    }
    if (shape->size() > Shape::kMaxRank) {
      return Error("a tensor has more than 5 axes", name);
    }
    int64_t elements = 1;
    std::vector<int64_t> extents;
    for (const json& extent : *shape) {
      if (!extent.is_number_unsigned() || extent.get<uint64_t>() > INT32_MAX) {
        return Error("a shape holds something that is not a size", name);
      }
      extents.push_back(extent.get<int64_t>());
      // Bounds the product as it grows, so that bytes do not overflow either.
      if (__builtin_mul_overflow(elements, extents.back(), &elements) ||
          elements > (int64_t{1} << 48)) {
        return Error("a shape is too large", name);
      }
    }
    return ShapeOf(extents);
  }

  // Checks one tensor and adds it to `tensors` as a view into the data, or to
  // `others` if no op reads its type.
  absl::Status Read(const std::string& name, const json& entry,
                    SafetensorsIndex::Tensors& tensors,
                    std::map<std::string, std::string>& others) {
    if (!entry.is_object()) return Error("a tensor is not an object", name);
    const auto dtype = entry.find("dtype");
    if (dtype == entry.end() || !dtype->is_string()) {
      return Error("a tensor has no dtype", name);
    }
    const auto type = dtype->get<std::string>();
    const auto known = DTypeOf(type);
    const int64_t element_bytes =
        known.has_value() ? kernels::SizeOf(*known) : OtherTypeBytes(type);
    if (element_bytes == 0) {
      return Error(absl::StrCat("a tensor has the unknown dtype ", type), name);
    }
    ASSIGN_OR_RETURN(const Shape shape, ReadShape(name, entry));
    // Reads the offsets from the start of the data, in bytes: [begin, end).
    const auto offsets = entry.find("data_offsets");
    if (offsets == entry.end() || !offsets->is_array() ||
        offsets->size() != 2 || !(*offsets)[0].is_number_unsigned() ||
        !(*offsets)[1].is_number_unsigned()) {
      return Error("a tensor has no data_offsets", name);
    }
    const auto begin = (*offsets)[0].get<uint64_t>();
    const auto end = (*offsets)[1].get<uint64_t>();
    if (begin > end || end > data_.size()) {
      return Error("a tensor lies outside the file", name);
    }
    const auto bytes = static_cast<uint64_t>(shape.elements() * element_bytes);
    // Compares sizes: a tensor is neither padded nor compressed.
    if (end - begin != bytes) {
      return Error("a tensor's bytes do not fit its shape", name);
    }
    extents_.push_back({begin, end, name});
    if (!known.has_value()) {
      others[name] = type;
      return absl::OkStatus();
    }
    // Views are of mutable memory; nobody writes through those of a file.
    tensors[name] =
        TensorView{const_cast<char*>(data_.data()) + begin, *known, shape};
    return absl::OkStatus();
  }

  // Checks that the tensors tile the data.
  // Sorts by place; of those at one place empty tensors go first.
  absl::Status CheckTiling() {
    std::sort(extents_.begin(), extents_.end(),
              [](const Extent& a, const Extent& b) {
                return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
              });
    // Walks the data: every byte belongs to one tensor.
    uint64_t at = 0;
    for (const Extent& extent : extents_) {
      if (extent.begin < at) return Error("tensors overlap", extent.name);
      if (extent.begin > at) {
        return Error("unused bytes before a tensor", extent.name);
      }
      at = extent.end;
    }
    if (at != data_.size()) {
      return Error("bytes that no tensor uses",
                   absl::StrCat(data_.size() - at, " at the end"));
    }
    return absl::OkStatus();
  }

 private:
  std::string_view data_;
  const std::string& label_;
  std::vector<Extent> extents_;
};

}  // namespace

absl::StatusOr<SafetensorsIndex> SafetensorsIndex::Parse(
    std::string_view file, const std::string& label) {
  // Complains before there is any data to read.
  const HeaderReader complain({}, label);
  uint64_t length = 0;
  if (file.size() < sizeof length) {
    return complain.Error("too short for a header",
                          absl::StrCat(file.size(), " bytes"));
  }
  // Reads the length as this machine does: the format and all supported
  // processors are little endian.
  std::memcpy(&length, file.data(), sizeof length);
  if (length > kMaxHeaderBytes || length > file.size() - sizeof length) {
    return complain.Error("the header does not fit the file",
                          absl::StrCat("header of ", length,
                                       " bytes in a file of ", file.size()));
  }
  std::string why;
  const json header = ParseStrictly(file.substr(sizeof length, length), why);
  // Prefers the precise reason to "not a JSON object".
  if (!why.empty()) return complain.Error("bad header", why);
  if (!header.is_object()) {
    return complain.Error("bad header", "not a JSON object");
  }
  HeaderReader reader(file.substr(sizeof length + length), label);
  SafetensorsIndex index;
  for (const auto& [name, entry] : header.items()) {
    // Keeps the one entry that is no tensor.
    if (name == "__metadata__") {
      if (!entry.is_object()) {
        return complain.Error("bad metadata", "not an object");
      }
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) {
          return complain.Error("bad metadata", key);
        }
        index.metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    RETURN_IF_ERROR(reader.Read(name, entry, index.tensors_, index.others_));
  }
  RETURN_IF_ERROR(reader.CheckTiling());
  return index;
}

absl::StatusOr<Safetensors> Safetensors::Open(const std::string& path) {
  ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  ASSIGN_OR_RETURN(SafetensorsIndex index,
                   SafetensorsIndex::Parse(file.bytes(), path));
  // Moves the mapping, not its bytes: the index's views stay valid.
  return Safetensors(path, std::move(file), std::move(index));
}

Safetensors::Safetensors(std::string path, MappedFile file,
                         SafetensorsIndex index)
    : path_(std::move(path)),
      file_(std::move(file)),
      index_(std::move(index)) {}

}  // namespace tessera::model
