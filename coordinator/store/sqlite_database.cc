#include "coordinator/store/sqlite_database.h"

#include <sqlite3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::coordinator {
namespace {

// How long a call waits for another connection's lock. A checkpoint takes
// milliseconds; whoever waits longer is better told UNAVAILABLE.
constexpr int kBusyMilliseconds = 5000;

// Maps a primary result code to what a caller can do about it. The low byte is
// the primary code; the rest refines it.
absl::StatusCode CodeOf(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_FULL:
      // Passes once somebody has made room, so callers may try again.
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_BUSY:
    // Outside of the file's contents: the same call may succeed later.
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return absl::StatusCode::kUnavailable;
    case SQLITE_CORRUPT:
    // Needs a person: no retry mends a damaged file.
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    default:
      return absl::StatusCode::kInternal;
      // Anything else is a mistake in our SQL or in how it is called.
  }
}

}  // namespace

absl::Status SqliteError(sqlite3* connection, int code, std::string_view what) {
  const char* const detail =
      // A failed open may come without a connection to ask.
      connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  // Keeps the extended code in the text: it tells a full disk in the journal
  // from one in the database, which the status code does not.
  return absl::Status(
      CodeOf(code), absl::StrCat("job store: ", std::string(what), ": ", detail,
                                 " (", code, ")"));
}

SqliteStatement::SqliteStatement(sqlite3* connection, sqlite3_stmt* statement)
    : connection_(connection), statement_(statement) {}

// Finalizes without looking at the result: it repeats the last Step's error.
void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void SqliteStatement::Note(int code) {
  // Keeps the first error; a later one is usually its consequence.
  if (bind_error_ == SQLITE_OK) bind_error_ = code;
}

SqliteStatement& SqliteStatement::Bind(int parameter, int64_t value) {
  Note(sqlite3_bind_int64(statement_.get(), parameter, value));
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int parameter, double value) {
  Note(sqlite3_bind_double(statement_.get(), parameter, value));
  return *this;
}

SqliteStatement& SqliteStatement::BindText(int parameter,
                                           std::string_view value) {
  // TRANSIENT makes SQLite copy the bytes, as `value` may be gone before Step.
  Note(sqlite3_bind_text64(statement_.get(), parameter, value.data(),
                           value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

SqliteStatement& SqliteStatement::BindBlob(int parameter,
                                           std::string_view value) {
  // SQLite takes a null pointer for NULL; the strings we pass have none, even
  // when they are empty.
  Note(sqlite3_bind_blob64(statement_.get(), parameter, value.data(),
                           value.size(), SQLITE_TRANSIENT));
  return *this;
}

SqliteStatement& SqliteStatement::BindNull(int parameter) {
  Note(sqlite3_bind_null(statement_.get(), parameter));
  return *this;
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int code =
      // A statement that was bound wrongly must not run: it would write NULL
      // for what is missing.
      bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(connection_, code, sqlite3_sql(statement_.get()));
}

absl::Status SqliteStatement::Run() {
  // Reset even after an error, or the statement would keep its lock and refuse
  // to be bound again.
  const absl::Status status = Step().status();
  Reset();
  return status;
}

void SqliteStatement::Reset() {
  // Repeats the error of the last Step, which was reported there.
  sqlite3_reset(statement_.get());
  // Unbound parameters are NULL, so that a value of the row before cannot slip
  // into the next one (BindResult relies on it).
  sqlite3_clear_bindings(statement_.get());
  bind_error_ = SQLITE_OK;
}

bool SqliteStatement::IsNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

int64_t SqliteStatement::Int(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double SqliteStatement::Real(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string SqliteStatement::Text(int column) const {
  // SQLite wants the bytes asked for before their count; text comes out as it
  // was stored, UTF-8 with any NUL inside.
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr) return std::string();
  return std::string(static_cast<const char*>(bytes),
                     static_cast<size_t>(size));
}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(
    const std::string& path) {
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &connection,
      // NOMUTEX: whoever owns a connection lets one thread at a time use it, so
      // SQLite's own lock would only cost.
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
      nullptr);
  // Owns the connection before the check: SQLite hands one out even when it
  // cannot open the file, and it has to be closed.
  auto database =
      std::unique_ptr<SqliteDatabase>(new SqliteDatabase(connection));
  if (code != SQLITE_OK) {
    return SqliteError(connection, code, absl::StrCat("cannot open ", path));
  }
  // Extended codes go into messages; CodeOf cuts them back.
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, kBusyMilliseconds);
  return database;
}

// The v2 form waits for statements that are finalized later, so members may be
// destroyed in any order.
SqliteDatabase::~SqliteDatabase() { sqlite3_close_v2(connection_); }

absl::Status SqliteDatabase::Execute(const std::string& sql) {
  const int code =
      // Several statements run up to the first that fails; a transaction that
      // it opened stays open.
      sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return absl::OkStatus();
  return SqliteError(connection_, code, sql);
}

absl::StatusOr<SqliteStatement> SqliteDatabase::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  // PERSISTENT: most statements live as long as the process; SQLite keeps such
  // ones out of its small pool for short-lived memory.
  const int code =
      sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return SqliteError(connection_, code, sql);
  return SqliteStatement(connection_, statement);
}

absl::StatusOr<std::string> SqliteDatabase::QueryText(std::string_view sql) {
  ASSIGN_OR_RETURN(SqliteStatement statement, Prepare(sql));
  ASSIGN_OR_RETURN(const bool found, statement.Step());
  // A PRAGMA without a row means a SQLite that does not know it.
  if (!found) {
    return absl::InternalError(
        absl::StrCat("job store: no answer: ", std::string(sql)));
  }
  return statement.Text(0);
}

}  // namespace tessera::coordinator
