// The actions of `tessera lora`.
#ifndef TESSERA_CLIENT_COMMANDS_LORA_H_
#define TESSERA_CLIENT_COMMANDS_LORA_H_

#include "client/command.h"

namespace tessera::client {

Command LoraPushCommand();   // registers a file under a name
Command LoraListCommand();   // what each name means
Command LoraRmCommand();     // forgets a name or a version
Command LoraCheckCommand();  // whether a file fits a model folder

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_COMMANDS_LORA_H_
