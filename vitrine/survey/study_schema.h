// The tables of a survey's file, and whether a file has them. docs/survey.md describes them.
//
// Thread contract: as the database's.
#pragma once

#include "vitrine/base/result.h"
#include "vitrine/survey/database.h"
#include "vitrine/survey/study.h"

namespace vitrine::survey {

// Whether nothing was ever made in it: a file of no bytes, or one whose writer was killed before
// its first transaction was over. Errors: `inconsistent` where it is no database.
base::Result<bool> is_empty(const Database& database);

// Makes the tables in an empty database.
base::Result<void> create_tables(Database& database);

// Whether it has these tables, no others, and is whole. Errors: `inconsistent`, `unsupported`.
base::Result<void> check_tables(Database& database);

// All of a database that was checked. Errors: `inconsistent` where a value can't be.
base::Result<Study> read_study(const Database& database);

}  // namespace vitrine::survey
