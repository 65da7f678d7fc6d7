#include "client/commands/commands.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/nearest_word.h"

namespace tessera::client {
namespace {

// Returns what `tessera` alone prints: every command with its summary.
std::string Overview(const std::vector<Command>& commands) {
  std::string text =
      "usage: tessera COMMAND [flags]\n\n"
      "Generates pictures in bulk from a file of prompts.\n\n";
  for (const Command& command : commands) {
    absl::StrAppendFormat(&text, "  %-8s %s\n", std::string(command.spec.name),
                          std::string(command.spec.summary));
  }
  text +=
      "\n`tessera COMMAND --help` explains a command. Exit codes: 0 done, 1 "
      "finished with\nfailed items, 2 bad usage or input, 3 cannot reach the "
      "service.\n";
  return text;
}

// Suggests the nearest command, as unknown ones are mostly misspelt.
absl::Status UnknownCommand(const std::string& name,
                            const std::vector<Command>& commands) {
  std::vector<std::string> known;
  for (const Command& command : commands) {
    known.emplace_back(command.spec.name);
  }
  const std::string nearest = NearestWord(name, known);
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown command ", name,
      nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)")));
}

}  // namespace

std::vector<Command> AllCommands() {
  // In the order in which the overview lists them: the first for a new user
  // first.
  return {LocalCommand(),   SubmitCommand(),  WatchCommand(),
          StatusCommand(),  ListCommand(),    CancelCommand(),
          ResultsCommand(), WorkersCommand(), SheetCommand()};
}

int RunCommandLine(const std::vector<std::string>& words,
                   CommandContext& context) {
  const std::vector<Command> commands = AllCommands();
  std::vector<const CommandSpec*> specs;
  // The specs point into `commands`, which is not changed from here on.
  for (const Command& command : commands) specs.push_back(&command.spec);
  const CommandLine line = FindCommand(specs, words);
  if (line.command.empty() || line.command == "help") {
    const bool asked =
        line.command == "help" ||
        std::any_of(words.begin(), words.end(), [](const std::string& word) {
          return word == "--help" || word == "-h";
        });
    // Asked for, help is a result and goes to standard output; unasked, it is
    // the answer to a mistake.
    (asked ? context.out : context.err) << Overview(commands);
    return asked ? kExitDone : kExitBadInput;
  }
  for (const Command& command : commands) {
    if (command.spec.name != line.command) continue;
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

}  // namespace tessera::client
