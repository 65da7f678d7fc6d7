#include "client/commands/commands.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/nearest_word.h"

namespace tessera::client {
namespace {

// Returns what the user types for a command: "push" of "lora push".
std::string_view WordOf(const Command& command) {
  const std::string_view name = command.spec.name;
  return name.substr(name.rfind(' ') + 1);  // npos + 1 is 0
}

// Returns the list of commands that is shown when none is named. `group` is
// what precedes them, such as "lora "; empty for all of ours.
std::string Overview(const std::string& group,
                     const std::vector<Command>& commands) {
  std::string text =
      absl::StrCat("usage: tessera ", group, "COMMAND [flags]\n");
  if (group.empty()) {
    text += "\nGenerates pictures in bulk from a file of prompts.\n";
  }
  text += "\n";
  for (const Command& command : commands) {
    absl::StrAppendFormat(&text, "  %-8s %s\n", std::string(WordOf(command)),
                          std::string(command.spec.summary));
  }
  absl::StrAppend(
      &text, "\n`tessera ", group,
      "COMMAND --help` explains a command. Exit codes: 0 done, 1 finished "
      "with\nfailed items, 2 bad usage or input, 3 cannot reach the "
      "service.\n");
  return text;
}

// Suggests the nearest command, as unknown ones are mostly misspelt.
absl::Status UnknownCommand(const std::string& name,
                            const std::vector<Command>& commands) {
  std::vector<std::string> known;
  for (const Command& command : commands) {
    known.emplace_back(WordOf(command));
  }
  const std::string nearest = NearestWord(name, known);
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown command ", name,
      nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)")));
}

// Runs the command that `words` name among `commands`; see Overview for
// `group`.
int RunOneOf(const std::string& group, const std::vector<Command>& commands,
             const std::vector<std::string>& words, CommandContext& context) {
  std::vector<const CommandSpec*> specs;
  // The specs point into `commands`, which is not changed from here on.
  for (const Command& command : commands) {
    specs.push_back(&command.spec);
    // Their flags may precede the command too.
    for (const Command& action : command.actions) specs.push_back(&action.spec);
  }
  const CommandLine line = FindCommand(specs, words);
  if (line.command.empty() || line.command == "help") {
    const bool asked =
        line.command == "help" ||
        std::any_of(words.begin(), words.end(), [](const std::string& word) {
          return word == "--help" || word == "-h";
        });
    // Asked for, help is a result and goes to standard output; unasked, it is
    // the answer to a mistake.
    (asked ? context.out : context.err) << Overview(group, commands);
    return asked ? kExitDone : kExitBadInput;
  }
  for (const Command& command : commands) {
    if (WordOf(command) != line.command) continue;
    if (!command.actions.empty()) {
      return RunOneOf(absl::StrCat(line.command, " "), command.actions,
                      line.words, context);
    }
    const auto arguments = Arguments::Parse(command.spec, line.words);
    // Before anything is contacted or created: bad usage has no effects.
    if (!arguments.ok()) return Report(arguments.status(), context);
    if (arguments->Has("help")) {
      context.out << Help(command.spec);
      return kExitDone;
    }
    return command.run(*arguments, context);
  }
  return Report(UnknownCommand(line.command, commands), context);
}

}  // namespace

std::vector<Command> AllCommands() {
  // In the order in which the overview lists them: the first for a new user
  // first.
  return {LocalCommand(), SubmitCommand(), WatchCommand(),   StatusCommand(),
          ListCommand(),  CancelCommand(), ResultsCommand(), WorkersCommand(),
          SheetCommand(), VerifyCommand(), LoraCommand()};
}

int RunCommandLine(const std::vector<std::string>& words,
                   CommandContext& context) {
  return RunOneOf("", AllCommands(), words, context);
}

}  // namespace tessera::client
