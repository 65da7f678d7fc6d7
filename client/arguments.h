// Flags and positionals of a subcommand, as the command line gives them.
#ifndef TESSERA_CLIENT_ARGUMENTS_H_
#define TESSERA_CLIENT_ARGUMENTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tessera::client {

// One flag. A name stands for the same kind (switch or value) in every
// command, so that flags may also precede the subcommand.
struct FlagSpec {
  std::string_view name;   // without the dashes
  std::string_view value;  // what the help calls the value; empty: a switch
  std::string_view help;   // a phrase
};

// What one subcommand takes.
struct CommandSpec {
  std::string_view name;
  std::string_view positional;  // such as "JOB"; a word for each that is wanted
  std::string_view summary;     // one line
  std::vector<FlagSpec> flags;  // beside CommonFlags()
};

// Returns the flags that every command takes: coordinator, retry-for, json,
// help.
const std::vector<FlagSpec>& CommonFlags();

// What was given on one command line. Getters name flags of the spec.
class Arguments {
 public:
  // Reads `words`, the command line without program and subcommand: flags
  // (`--flag value`, `--flag=value`, `-h`) and positionals in any order, only
  // positionals after `--`. Errors: INVALID_ARGUMENT for an unknown flag (the
  // nearest known one is named), a missing or superfluous value, and a wrong
  // number of positionals unless help is asked for.
  static absl::StatusOr<Arguments> Parse(const CommandSpec& spec,
                                         const std::vector<std::string>& words);

  // Returns the first positional, or an empty string when there is none.
  std::string positional() const;

  // Returns as many positionals as the spec names; none when help is asked for.
  const std::vector<std::string>& positionals() const { return positionals_; }

  // Returns whether the flag was given.
  bool Has(std::string_view flag) const;

  // Returns the flag's last value, or `fallback` when it was not given.
  std::string Text(std::string_view flag, std::string_view fallback) const;

  // Returns every value of a flag that may be repeated.
  std::vector<std::string> Texts(std::string_view flag) const;

  // Returns the flag's value as a number, or nothing when it was not given.
  // Errors: INVALID_ARGUMENT that names the flag and the range.
  absl::StatusOr<std::optional<int64_t>> Integer(std::string_view flag,
                                                 int64_t lowest,
                                                 int64_t highest) const;
  absl::StatusOr<std::optional<uint64_t>> Seed(std::string_view flag) const;
  absl::StatusOr<std::optional<double>> Real(std::string_view flag,
                                             double lowest,
                                             double highest) const;

 private:
  std::vector<std::string> positionals_;
  std::map<std::string, std::vector<std::string>, std::less<>> flags_;
};

// A command line taken apart before its flags are known.
struct CommandLine {
  std::string command;  // empty when there is none
  std::vector<std::string> words;
};

// Finds the subcommand among `words` (without the program): the first word
// that is neither a flag nor the value of one of `commands`' flags.
CommandLine FindCommand(const std::vector<const CommandSpec*>& commands,
                        const std::vector<std::string>& words);

// Returns the text of `--help`.
std::string Help(const CommandSpec& spec);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_ARGUMENTS_H_
