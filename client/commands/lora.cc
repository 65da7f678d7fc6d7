#include "client/commands/lora.h"

#include "client/commands/commands.h"

namespace tessera::client {

// Each action stands in a file of its own.
Command LoraCommand() {
  return {{"lora", "", "checks, pushes, lists and removes LoRAs", {}},
          nullptr,
          {LoraPushCommand(), LoraListCommand(), LoraRmCommand(),
           LoraCheckCommand()}};
}

}  // namespace tessera::client
