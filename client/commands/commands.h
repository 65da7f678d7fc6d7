// All subcommands of `tessera`.
#ifndef TESSERA_CLIENT_COMMANDS_COMMANDS_H_
#define TESSERA_CLIENT_COMMANDS_COMMANDS_H_

#include <string>
#include <vector>

#include "client/command.h"

namespace tessera::client {

Command LocalCommand();    // coordinator, workers and a job in one
Command SubmitCommand();   // hands a file of prompts to a service
Command WatchCommand();    // follows a job to its end
Command StatusCommand();   // one job
Command ListCommand();     // all jobs
Command CancelCommand();   // stops a job
Command ResultsCommand();  // the finished pictures of a job
Command WorkersCommand();  // the workers of a service
Command SheetCommand();    // a contact sheet of a finished job
Command VerifyCommand();   // a finished job's files against its manifest
Command LoraCommand();     // the registry of LoRAs

// Returns every command in the order of the help.
std::vector<Command> AllCommands();

// Runs the command line `words` (without the program) and returns the exit
// code.
int RunCommandLine(const std::vector<std::string>& words,
                   CommandContext& context);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_COMMANDS_COMMANDS_H_
