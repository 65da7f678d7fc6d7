// The client: `tessera COMMAND …`.
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "client/commands/commands.h"

namespace tessera::client {
namespace {

// Returns the width of the terminal; 80 when there is none.
int Columns() {
  winsize size = {};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
  return known && size.ws_col > 0 ? size.ws_col : 80;
}

// Collects what the commands know of their surroundings, so that they touch no
// globals and tests can run them in process.
int Main(int count, char** words) {
  const char* coordinator = std::getenv("TESSERA_COORDINATOR");
  CommandContext context{
      .out = std::cout,
      .err = std::cerr,
      .clock = RealClock(),
      .default_coordinator = coordinator == nullptr ? "" : coordinator,
      // Standard error: that is where progress goes, whatever standard output
      // is.
      .err_is_terminal = isatty(STDERR_FILENO) == 1,
      .columns = Columns()};
  return RunCommandLine(std::vector<std::string>(words + 1, words + count),
                        context);
}

}  // namespace
}  // namespace tessera::client

int main(int count, char** words) {
  return tessera::client::Main(count, words);
}
