// The schema of the SQLite job store, as steps from an empty file.
#ifndef TESSERA_COORDINATOR_STORE_MIGRATIONS_H_
#define TESSERA_COORDINATOR_STORE_MIGRATIONS_H_

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "coordinator/store/sqlite_database.h"

namespace tessera::coordinator {

// Returns the files of store/schema in order. Step i leads from version i to
// version i + 1; a step that was released never changes.
std::span<const std::string_view> Migrations();

// Brings the schema to the newest version. Each step and its version number
// become durable together, so an interrupted migration goes on where it stood.
// Errors: FAILED_PRECONDITION when the file is of a newer version; those of
// SqliteError.
absl::Status Migrate(SqliteDatabase& database);

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_STORE_MIGRATIONS_H_
