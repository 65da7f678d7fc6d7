#include "client/commands/commands.h"
#include "client/contact_sheet.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"

namespace tessera::client {
namespace {

// More columns than pictures make no sense.
constexpr int64_t kMostColumns = kMostSheetPictures;

// Draws the sheet that the flags describe; needs no service, only the folder.
absl::StatusOr<SheetReport> Draw(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto columns,
                   arguments.Integer("columns", 1, kMostColumns));
  return WriteContactSheet(arguments.positional(),
                           static_cast<int>(columns.value_or(0)));
}

// Prints where the sheet is. Pictures that could not be read leave no gap, so
// they are told apart and change the exit code.
int Run(const Arguments& arguments, CommandContext& context) {
  const absl::StatusOr<SheetReport> report = Draw(arguments);
  if (!report.ok()) return Report(report.status(), context);
  if (report->damaged > 0) {
    context.err << report->damaged << " pictures could not be read"
                << std::endl;
  }
  if (arguments.Has("json")) {
    const nlohmann::ordered_json object = {{"path", report->path},
                                           {"shown", report->shown},
                                           {"total", report->total},
                                           {"damaged", report->damaged}};
    // Escapes everything beyond ASCII: a path may be in any encoding.
    context.out << object.dump(-1, ' ', true,
                               nlohmann::json::error_handler_t::replace)
                << std::endl;
  } else {
    context.out << report->path << ": " << report->shown << " of "
                << report->total << " pictures" << std::endl;
  }
  return report->damaged > 0 ? kExitIncomplete : kExitDone;
}

}  // namespace

Command SheetCommand() {
  return {{"sheet",
           "DIR",
           "draws the contact sheet of a job's output folder",
           {{"columns", "N", "pictures a row; default as square as can be"}}},
          Run};
}

}  // namespace tessera::client
