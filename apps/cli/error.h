// How errors, warnings and the end of the program are told to people and to programs.
//
// Thread contract: pure functions; nothing is printed here.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "vitrine/base/result.h"
#include "vitrine/views/value.h"

namespace vitrine::cli {

// The exit status of the command-line contract.
enum class Exit : int {
  complete = 0,
  failed = 1,  // could not be done
  wrong_usage = 2,
  partial = 3,  // some rows unreadable, or a demanded consistency was not reached
};

// wrong_usage where the caller asked for something that makes no sense, else failed.
Exit exit_of(const base::Error& error);

// partial where any row has an error, else complete.
Exit exit_of(std::span<const views::Row> rows);

// "vitrine: MESSAGE (at ADDRESS, in CALL)" and, indented below, the remedy; ends with a line feed.
// Strings that stem from a guest are harmless in it.
std::string error_text(const base::Error& error);

// The same as one line of JSON:
// {"schema":1,"error":{"code","message","remedy"[,"address"][,"call"]}}.
std::string error_json(const base::Error& error);

// "vitrine: warning: MESSAGE" and a line feed.
std::string warning_text(std::string_view message);

}  // namespace vitrine::cli
