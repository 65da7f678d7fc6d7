// SQLite with our error codes: a thin, checked layer over its C interface.
#ifndef TESSERA_COORDINATOR_STORE_SQLITE_DATABASE_H_
#define TESSERA_COORDINATOR_STORE_SQLITE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tessera::coordinator {

// Maps a failed call on `connection` (may be null) to a status that names
// `what` and SQLite's own message. RESOURCE_EXHAUSTED: disk full; UNAVAILABLE:
// busy, locked, or the file cannot be opened or written; DATA_LOSS: damaged, or
// no database at all; INTERNAL otherwise.
absl::Status SqliteError(sqlite3* connection, int code, std::string_view what);

// A prepared statement that is reset and used again. Parameters and columns
// count from 1 and 0, as SQLite's do. The first error of binding is returned
// by Step. Thread-compatible.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* connection, sqlite3_stmt* statement);

  SqliteStatement& Bind(int parameter, int64_t value);
  SqliteStatement& Bind(int parameter, double value);
  SqliteStatement& BindText(int parameter, std::string_view value);
  SqliteStatement& BindBlob(int parameter, std::string_view value);
  SqliteStatement& BindNull(int parameter);

  // Advances; returns whether there is a row.
  absl::StatusOr<bool> Step();

  // Runs a statement without rows, and resets it.
  absl::Status Run();

  // Makes the statement ready to run again and forgets its parameters.
  void Reset();

  bool IsNull(int column) const;
  int64_t Int(int column) const;
  double Real(int column) const;
  std::string Text(int column) const;  // also for blobs

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  void Note(int code);

  sqlite3* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_error_ = 0;
};

// One connection. Thread-compatible.
class SqliteDatabase {
 public:
  // Opens or creates `path`. Calls wait up to 5 s for other connections.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(
      const std::string& path);
  ~SqliteDatabase();

  // Runs statements that return nothing of interest.
  absl::Status Execute(const std::string& sql);

  // Prepares a statement that lives no longer than the connection.
  absl::StatusOr<SqliteStatement> Prepare(std::string_view sql);

  // Runs a query for a single number or word. Errors: also INTERNAL without a
  // row.
  absl::StatusOr<std::string> QueryText(std::string_view sql);

 private:
  explicit SqliteDatabase(sqlite3* connection) : connection_(connection) {}

  sqlite3* connection_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_STORE_SQLITE_DATABASE_H_
