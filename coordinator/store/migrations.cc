#include "coordinator/store/migrations.h"

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"

namespace tessera::coordinator {

absl::Status Migrate(SqliteDatabase& database) {
  ASSIGN_OR_RETURN(const std::string text,
                   database.QueryText("PRAGMA user_version"));
  const std::span<const std::string_view> steps = Migrations();
  // SQLite keeps user_version in the file's header; 0 in a new file.
  const size_t found = std::strtoul(text.c_str(), nullptr, 10);
  // A newer schema may have columns whose meaning we would destroy, so the file
  // is left untouched and the operator told to upgrade.
  if (found > steps.size()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the job store was written by a newer version of this program: "
        "schema ",
        found, ", known up to ", steps.size()));
  }
  for (size_t version = found; version < steps.size(); ++version) {
    // One transaction holds the step and its number: killed anywhere, the file
    // is at a version whose schema it has. IMMEDIATE takes the write lock
    // before the first change, not at it.
    RETURN_IF_ERROR(database.Execute(
        absl::StrCat("BEGIN IMMEDIATE;", std::string(steps[version]),
                     ";PRAGMA user_version = ", version + 1, ";COMMIT;")));
    Log(Severity::kInfo, "job store migrated", {{"schema", version + 1}});
  }
  return absl::OkStatus();
}

}  // namespace tessera::coordinator
