#include "coordinator/prompt_line.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "coordinator/field_rules.h"
#include "coordinator/json_value.h"
#include "simdjson.h"

namespace tessera::coordinator {
namespace {

using simdjson::dom::element;

// Stores a checked number, or passes its error on.
absl::Status Assign(absl::StatusOr<int> value, int& target) {
  RETURN_IF_ERROR(value.status());
  target = *value;
  return absl::OkStatus();
}

// Reads a prompt: any text, of bounded length.
absl::Status ReadText(element value, std::string& target) {
  ASSIGN_OR_RETURN(const std::string_view text, ReadString(value));
  RETURN_IF_ERROR(CheckPromptText(text));
  target = text;
  return absl::OkStatus();
}

// Reads an id, which becomes part of file names.
absl::Status ReadCustomId(element value, std::string& target) {
  ASSIGN_OR_RETURN(const std::string_view id, ReadString(value));
  RETURN_IF_ERROR(CheckCustomId(id));
  target = id;
  return absl::OkStatus();
}

// Reads a sampler by any of its names and keeps the short one.
absl::Status ReadSampler(element value, std::string& target) {
  ASSIGN_OR_RETURN(const std::string_view name, ReadString(value));
  ASSIGN_OR_RETURN(target, CheckSampler(name));
  return absl::OkStatus();
}

// Reads {"name": …, "scale": …}; the scale may be missing and is 1 then.
// Errors: also for a name that the job does not know.
absl::StatusOr<LoraUse> ReadLora(element value,
                                 const PromptLineOptions& options) {
  if (!value.is_object()) return WrongType("an array of objects", value);
  LoraUse use;
  bool has_name = false, has_scale = false;
  const simdjson::dom::object object = value.get_object().value_unsafe();
  for (const auto field : object) {
    // An unknown key is refused below, before the flag it borrows here matters.
    bool& seen = field.key == "name" ? has_name : has_scale;
    if (field.key != "name" && field.key != "scale") {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown field ", Quoted(field.key)));
    }
    // JSON leaves open which of two equal keys counts, so neither does.
    if (std::exchange(seen, true)) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(field.key), " is given twice"));
    }
    if (field.key == "name") {
      ASSIGN_OR_RETURN(use.name, ReadString(field.value));
    } else {
      ASSIGN_OR_RETURN(const double scale, ReadNumber(field.value));
      ASSIGN_OR_RETURN(use.scale, CheckLoraScale(scale));
    }
  }
  if (!has_name) return absl::InvalidArgumentError("a name is missing");
  RETURN_IF_ERROR(ResolveLora(options, use));
  return use;
}

// Reads the LoRAs of a line. They replace the job's, all of them: an empty
// array means none.
absl::Status ReadLoras(element value, const PromptLineOptions& options,
                       std::vector<LoraUse>& target) {
  if (!value.is_array()) return WrongType("an array of objects", value);
  // Holds the job's defaults until here.
  target.clear();
  const simdjson::dom::array items = value.get_array().value_unsafe();
  for (const element item : items) {
    // Checked while reading, so that a hostile line costs no more than its
    // bytes.
    if (target.size() == kMaxLoras) {
      return absl::InvalidArgumentError(
          absl::StrCat("must be at most ", kMaxLoras, " LoRAs"));
    }
    ASSIGN_OR_RETURN(LoraUse use, ReadLora(item, options));
    const auto same = [&](const LoraUse& other) {
      return other.name == use.name && other.sha256 == use.sha256;
    };
    // Quadratic over at most kMaxLoras. Two scales for one LoRA have no
    // meaning; two versions of one are two LoRAs.
    if (std::any_of(target.begin(), target.end(), same)) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(use.name), " is named twice"));
    }
    target.push_back(std::move(use));
  }
  return absl::OkStatus();
}

// The fields of a line and how each is read into a PromptLine.
struct Field {
  std::string_view name;
  absl::Status (*read)(element, const PromptLineOptions&, PromptLine&);
};
using Options = const PromptLineOptions&;

// Reads an integer field by the rule that the defaults of a job share.
absl::Status ReadIntField(element value, absl::StatusOr<int> (*check)(int64_t),
                          int& target) {
  ASSIGN_OR_RETURN(const int64_t number, ReadInt64(value));
  return Assign(check(number), target);
}

// Every field that a line may have; the place of a field is its bit in `seen`.
// The common ones come first, as they are looked up one by one.
constexpr Field kFields[] = {
    {"prompt", [](element v, Options,
                  PromptLine& line) { return ReadText(v, line.prompt); }},
    {"custom_id",
     [](element v, Options, PromptLine& line) {
       return ReadCustomId(v, line.custom_id);
     }},
    {"negative_prompt",
     [](element v, Options, PromptLine& line) {
       return ReadText(v, line.negative_prompt);
     }},
    {"seed",
     [](element v, Options, PromptLine& line) -> absl::Status {
       ASSIGN_OR_RETURN(line.seed, ReadUint64(v));
       return absl::OkStatus();
     }},
    {"num_images_per_prompt",
     [](element v, Options, PromptLine& line) {
       return ReadIntField(v, CheckPictures, line.num_images_per_prompt);
     }},
    {"num_inference_steps",
     [](element v, Options, PromptLine& line) {
       return ReadIntField(v, CheckSteps, line.num_inference_steps);
     }},
    {"guidance_scale",
     [](element v, Options, PromptLine& line) -> absl::Status {
       ASSIGN_OR_RETURN(const double scale, ReadNumber(v));
       ASSIGN_OR_RETURN(line.guidance_scale, CheckGuidance(scale));
       return absl::OkStatus();
     }},
    {"width",
     [](element v, Options, PromptLine& line) {
       return ReadIntField(v, CheckSize, line.width);
     }},
    {"height",
     [](element v, Options, PromptLine& line) {
       return ReadIntField(v, CheckSize, line.height);
     }},
    {"sampler", [](element v, Options,
                   PromptLine& line) { return ReadSampler(v, line.sampler); }},
    {"loras",
     [](element v, Options options, PromptLine& line) {
       return ReadLoras(v, options, line.loras);
     }},
};
// The place of "prompt", the only field that must be there.
constexpr size_t kPromptField = 0;

// Starts a line from the job's defaults; ids, seeds and counts have none.
PromptLine FromDefaults(const GenerationDefaults& defaults) {
  return PromptLine{.negative_prompt = defaults.negative_prompt,
                    .num_inference_steps = defaults.num_inference_steps,
                    .guidance_scale = defaults.guidance_scale,
                    .width = defaults.width,
                    .height = defaults.height,
                    .sampler = defaults.sampler,
                    .loras = defaults.loras};
}

// Returns the index in kFields, or its size for an unknown name.
size_t FindField(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kFields), std::end(kFields),
                   [&](const Field& field) { return field.name == name; });
  return found - std::begin(kFields);
}

// Puts the field's name before a reason of field_rules.h or json_value.h.
absl::Status FieldError(std::string_view field, std::string_view reason) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(field), ": ", std::string(reason)));
}

// Reads one field. `seen` has a bit for each field that came before.
absl::Status ReadField(std::string_view name, element value, Options options,
                       uint32_t& seen, PromptLine& line) {
  const size_t index = FindField(name);
  if (index == std::size(kFields)) {
    // Escaped and cut by Quoted; the quotes go, as a field's name stands bare.
    const std::string quoted = Quoted(name);
    return FieldError(quoted.substr(1, quoted.size() - 2), "unknown field");
  }
  if (seen >> index & 1) return FieldError(name, "given twice");
  seen |= 1u << index;
  const absl::Status status = kFields[index].read(value, options, line);
  // Whatever else failed is not the line's fault and gets no field.
  if (!absl::IsInvalidArgument(status)) return status;
  return FieldError(name, std::string(status.message()));
}

}  // namespace

absl::Status ResolveLora(const PromptLineOptions& options, LoraUse& use) {
  if (options.registry != nullptr) {
    return options.registry->Resolve(options.known_loras, use);
  }
  if (options.known_loras.contains(use.name)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("no LoRA named ", Quoted(use.name), " is registered"));
}

// The parser's own memory and a copy of the line with the padding it needs.
struct PromptLineParser::Buffers {
  simdjson::dom::parser parser;
  std::vector<char> padded;
};

PromptLineParser::PromptLineParser(PromptLineOptions options)
    : options_(std::move(options)), buffers_(std::make_unique<Buffers>()) {}

PromptLineParser::~PromptLineParser() = default;

absl::StatusOr<PromptLine> PromptLineParser::Parse(std::string_view text) {
  std::vector<char>& padded = buffers_->padded;
  // Grows to twice the need, so that slowly growing lines do not copy each
  // time. It never shrinks; the limit on lines, 1 MiB, bounds it.
  if (padded.size() < text.size() + simdjson::SIMDJSON_PADDING) {
    padded.resize(2 * text.size() + simdjson::SIMDJSON_PADDING);
  }
  std::memcpy(padded.data(), text.data(), text.size());
  // simdjson reads past the end, up to its padding; what it reads there must be
  // ours, whatever it is.
  std::memset(padded.data() + text.size(), 0, simdjson::SIMDJSON_PADDING);

  element root;
  const simdjson::error_code error =
      // `false`: the buffer has the padding already, so no copy is made.
      buffers_->parser.parse(padded.data(), text.size(), false).get(root);
  if (error != simdjson::SUCCESS) return NotJson(error);
  if (!root.is_object()) return WrongType("a JSON object", root);

  PromptLine line = FromDefaults(options_.defaults);
  uint32_t seen = 0;
  // Views of names and texts point into the parser and die with the next line;
  // the fields copy what they keep.
  const simdjson::dom::object object = root.get_object().value_unsafe();
  for (const auto field : object) {
    RETURN_IF_ERROR(ReadField(field.key, field.value, options_, seen, line));
  }
  if (!(seen >> kPromptField & 1)) return FieldError("prompt", "is missing");
  return line;
}

}  // namespace tessera::coordinator
