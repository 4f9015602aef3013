#include "vitrine/survey/database.h"

#include <sqlite3.h>

namespace vitrine::survey {
namespace {

constexpr int kBusyMilliseconds = 5000;

base::Code code_of(int state) {
  switch (state & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return base::Code::inconsistent;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
      return base::Code::invalid;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return base::Code::denied;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return base::Code::timeout;
    default:
      return base::Code::unreadable;
  }
}

tl::unexpected<base::Error> failed(sqlite3* database, int state) {
  base::Error error{code_of(state),
                    database == nullptr ? sqlite3_errstr(state) : sqlite3_errmsg(database)};
  error.call = "SQLite";
  return base::fail(std::move(error));
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(sqlite3* database, std::string_view sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  state_ =
      sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
}

// A value that could not be bound must not be written as null: the first error stays.
Statement& Statement::bind(std::string_view text) {
  const int state = sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(),
                                        SQLITE_TRANSIENT, SQLITE_UTF8);
  if (state_ == SQLITE_OK) state_ = state;
  return *this;
}
Statement& Statement::bind(std::int64_t number) {
  const int state = sqlite3_bind_int64(statement_.get(), ++bound_, number);
  if (state_ == SQLITE_OK) state_ = state;
  return *this;
}
Statement& Statement::bind(double number) {
  const int state = sqlite3_bind_double(statement_.get(), ++bound_, number);
  if (state_ == SQLITE_OK) state_ = state;
  return *this;
}

bool Statement::next() {
  if (state_ == SQLITE_OK || state_ == SQLITE_ROW) state_ = sqlite3_step(statement_.get());
  return state_ == SQLITE_ROW;
}

base::Result<void> Statement::done() {
  while (next()) {
  }
  if (state_ != SQLITE_DONE) return failed(database_, state_);
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  bound_ = 0;
  state_ = SQLITE_OK;
}

std::string Statement::text(int column) const {
  const auto* const bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}
std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

void Database::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

base::Result<Database> Database::open(const std::string& path, bool create) {
  sqlite3* handle = nullptr;
  const int state = sqlite3_open_v2(
      path.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0), nullptr);
  Database database;
  database.handle_.reset(handle);
  if (state != SQLITE_OK) return failed(handle, state);
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  return database;
}

Statement Database::prepare(std::string_view sql) const { return {handle_.get(), sql}; }

base::Result<void> Database::run(const std::string& sql) {
  const int state = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (state != SQLITE_OK) return failed(handle_.get(), state);
  return {};
}

std::int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }

Transaction::Transaction(Database& database)
    : database_(database), begun_(database.run("BEGIN IMMEDIATE")) {}

Transaction::~Transaction() {
  if (begun_ && open_) (void)database_.run("ROLLBACK");
}

base::Result<void> Transaction::commit() {
  if (!begun_) return begun_;
  auto committed = database_.run("COMMIT");
  open_ = !committed;
  return committed;
}

}  // namespace vitrine::survey
