#include "client/arguments.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/nearest_word.h"
#include "common/status_macros.h"

namespace tessera::client {
namespace {

// A word that starts with a dash, apart from "-", which is standard input.
bool IsFlag(std::string_view word) {
  return word.size() > 1 && word.front() == '-';
}

// The name in "--name", "--name=value" or "-h".
std::string NameOf(const std::string& word) {
  if (word == "-h") return "help";
  const size_t begin = word.find_first_not_of('-');
  if (begin == std::string::npos) return "";
  return word.substr(begin, word.find('=') - begin);
}

// Finds a flag of the command or one that all commands take; null for an
// unknown name.
const FlagSpec* Find(const CommandSpec& spec, std::string_view name) {
  for (const std::vector<FlagSpec>* flags : {&spec.flags, &CommonFlags()}) {
    for (const FlagSpec& flag : *flags) {
      if (flag.name == name) return &flag;
    }
  }
  return nullptr;
}

// Names the flag that was probably meant: most unknown flags are misspelt.
absl::Status UnknownFlag(const CommandSpec& spec, const std::string& word) {
  std::vector<std::string> known;
  for (const FlagSpec& flag : spec.flags) known.emplace_back(flag.name);
  for (const FlagSpec& flag : CommonFlags()) known.emplace_back(flag.name);
  const std::string name = NameOf(word);
  const std::string nearest = NearestWord(name, known);
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown flag --", name,
      nearest.empty() ? "" : absl::StrCat(" (did you mean --", nearest, "?)")));
}

// Returns the error of a value that was given but cannot be, with the value
// last, as all messages have it.
absl::Status BadValue(std::string_view flag, const std::string& text,
                      const std::string& wanted) {
  return absl::InvalidArgumentError(absl::StrCat("--", std::string(flag), ": ",
                                                 wanted, " is wanted: ", text));
}

// Returns how many words a text has; words are apart by one space.
size_t CountWords(std::string_view text) {
  if (text.empty()) return 0;
  return 1 + std::count(text.begin(), text.end(), ' ');
}

}  // namespace

const std::vector<FlagSpec>& CommonFlags() {
  // Never destroyed, so that it may be used until the process ends.
  static const auto* const kFlags = new std::vector<FlagSpec>{
      {"coordinator", "HOST:PORT",
       "where the service is; default TESSERA_COORDINATOR or localhost:7070"},
      {"retry-for", "SECONDS",
       "how long to try while the service cannot be reached; default 15"},
      {"json", "", "print JSON, one object a line"},
      {"help", "", "show this text"},
  };
  return *kFlags;
}

absl::StatusOr<Arguments> Arguments::Parse(
    const CommandSpec& spec, const std::vector<std::string>& words) {
  Arguments arguments;
  std::vector<std::string> positionals;
  bool only_positionals = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    // A single "-" and whatever follows "--" are files.
    if (only_positionals || !IsFlag(word)) {
      positionals.push_back(word);
      continue;
    }
    if (word == "--") {
      only_positionals = true;
      continue;
    }
    const std::string name = NameOf(word);
    const FlagSpec* flag = Find(spec, name);
    // Refused, not skipped: an unknown flag may be the one that mattered.
    if (flag == nullptr) return UnknownFlag(spec, word);
    const size_t equals = word.find('=');
    std::string value;
    if (flag->value.empty()) {
      if (equals != std::string::npos) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", name, ": takes no value: ", word));
      }
    } else if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (i + 1 < words.size()) {
      // Taken whatever it looks like: a negative number starts with a dash too.
      value = words[++i];
    } else {
      return absl::InvalidArgumentError(absl::StrCat(
          "--", name, ": a value is wanted: ", std::string(flag->value)));
    }
    // Kept in order; a flag given twice means its last value, unless the
    // command asks for all.
    arguments.flags_[name].push_back(std::move(value));
  }
  // Whoever asks for help need not get the rest right.
  if (arguments.Has("help")) return arguments;
  const size_t wanted = CountWords(spec.positional);
  if (positionals.size() > wanted) {
    return absl::InvalidArgumentError(
        absl::StrCat("unexpected argument: ", positionals[wanted]));
  }
  if (positionals.size() < wanted) {
    return absl::InvalidArgumentError(absl::StrCat(
        std::string(spec.name),
        ": an argument is missing: ", std::string(spec.positional)));
  }
  arguments.positionals_ = std::move(positionals);
  return arguments;
}

std::string Arguments::positional() const {
  return positionals_.empty() ? std::string() : positionals_.front();
}

bool Arguments::Has(std::string_view flag) const {
  return flags_.find(flag) != flags_.end();
}

std::string Arguments::Text(std::string_view flag,
                            std::string_view fallback) const {
  const auto found = flags_.find(flag);
  return found == flags_.end() ? std::string(fallback) : found->second.back();
}

std::vector<std::string> Arguments::Texts(std::string_view flag) const {
  const auto found = flags_.find(flag);
  return found == flags_.end() ? std::vector<std::string>() : found->second;
}

absl::StatusOr<std::optional<int64_t>> Arguments::Integer(
    std::string_view flag, int64_t lowest, int64_t highest) const {
  if (!Has(flag)) return std::optional<int64_t>();
  const std::string text = Text(flag, "");
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value) || value < lowest || value > highest) {
    return BadValue(
        flag, text,
        absl::StrCat("a whole number from ", lowest, " to ", highest));
  }
  return std::optional<int64_t>(value);
}

absl::StatusOr<std::optional<uint64_t>> Arguments::Seed(
    std::string_view flag) const {
  if (!Has(flag)) return std::optional<uint64_t>();
  const std::string text = Text(flag, "");
  uint64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) {
    return BadValue(flag, text, "a whole number from 0 to 2^64-1");
  }
  return std::optional<uint64_t>(value);
}

absl::StatusOr<std::optional<double>> Arguments::Real(std::string_view flag,
                                                      double lowest,
                                                      double highest) const {
  if (!Has(flag)) return std::optional<double>();
  const std::string text = Text(flag, "");
  double value = 0;
  const bool number = absl::SimpleAtod(text, &value);
  // Written so that NaN is refused: no comparison with it holds.
  if (!number || !(value >= lowest && value <= highest)) {
    return BadValue(flag, text,
                    absl::StrCat("a number from ", lowest, " to ", highest));
  }
  return std::optional<double>(value);
}

CommandLine FindCommand(const std::vector<const CommandSpec*>& commands,
                        const std::vector<std::string>& words) {
  CommandLine line;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    // From the command on everything belongs to it, flags included.
    if (!line.command.empty() || word == "--") {
      line.words.insert(line.words.end(), words.begin() + i, words.end());
      return line;
    }
    if (!IsFlag(word)) {
      line.command = word;
      continue;
    }
    line.words.push_back(word);
    const std::string name = NameOf(word);
    // A flag before the command may belong to any command. Whether a word is
    // its value can be told without knowing which, because a name is of the
    // same kind in all of them.
    const bool takes_value = std::any_of(
        commands.begin(), commands.end(), [&](const CommandSpec* spec) {
          const FlagSpec* flag = Find(*spec, name);
          return flag != nullptr && !flag->value.empty();
        });
    const bool has_value = word.find('=') != std::string::npos;
    if (takes_value && !has_value && i + 1 < words.size()) {
      line.words.push_back(words[++i]);
    }
  }
  return line;
}

std::string Help(const CommandSpec& spec) {
  std::string text = absl::StrCat("usage: tessera ", std::string(spec.name));
  if (!spec.positional.empty()) {
    absl::StrAppend(&text, " ", std::string(spec.positional));
  }
  absl::StrAppend(&text, " [flags]\n\n", std::string(spec.summary), "\n\n");
  for (const std::vector<FlagSpec>* flags : {&spec.flags, &CommonFlags()}) {
    for (const FlagSpec& flag : *flags) {
      const std::string left =
          absl::StrCat("--", std::string(flag.name),
                       flag.value.empty() ? "" : " ", std::string(flag.value));
      // Wide enough for the longest flag with its value.
      absl::StrAppendFormat(&text, "  %-24s %s\n", left,
                            std::string(flag.help));
    }
  }
  return text;
}

}  // namespace tessera::client
