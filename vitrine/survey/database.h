// SQLite as a survey's file needs it: statements whose values are bound, errors that name the file.
//
// Thread contract: one thread at a time. No effect on the guest.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "vitrine/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace vitrine::survey {

// A statement that is run row by row. What goes wrong on the way is told once, by done().
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);

  Statement& bind(std::string_view text);
  Statement& bind(std::int64_t number);
  Statement& bind(double number);

  // Goes to the next row; false where there is none, or after an error.
  bool next();
  // Runs it to its end. Errors: SQLite's.
  base::Result<void> done();
  // Makes it ready to be run again, with other values.
  void reset();

  // Of the row that next() went to, columns counted from 0.
  std::string text(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
  int state_ = 0;  // SQLite's last result
};

class Database {
 public:
  // Opens a file, which need not be one of SQLite's until it is read; `create`: or an empty one.
  // What a forged file may do is bounded: its schema runs no functions. Errors: SQLite's.
  static base::Result<Database> open(const std::string& path, bool create);

  Statement prepare(std::string_view sql) const;
  // Runs statements without values or rows.
  base::Result<void> run(const std::string& sql);
  std::int64_t last_row() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };

  std::unique_ptr<sqlite3, Close> handle_;
};

// All or nothing: what was written since it began is forgotten unless it is committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Errors: SQLite's, e.g. a full disk; nothing is kept then.
  base::Result<void> commit();

 private:
  Database& database_;
  base::Result<void> begun_;
  bool open_ = true;
};

}  // namespace vitrine::survey
