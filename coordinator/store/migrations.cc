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
  const size_t found = std::strtoul(text.c_str(), nullptr, 10);
  if (found > steps.size()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the job store was written by a newer version of this program: "
        "schema ",
        found, ", known up to ", steps.size()));
  }
  for (size_t version = found; version < steps.size(); ++version) {
    RETURN_IF_ERROR(database.Execute(
        absl::StrCat("BEGIN IMMEDIATE;", std::string(steps[version]),
                     ";PRAGMA user_version = ", version + 1, ";COMMIT;")));
    Log(Severity::kInfo, "job store migrated", {{"schema", version + 1}});
  }
  return absl::OkStatus();
}

}  // namespace tessera::coordinator
