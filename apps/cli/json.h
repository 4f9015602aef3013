// The JSON forms of the command-line contract; docs/cli.md describes them for users.
//
// Strings that come from outside (guest, VMM, error messages) are passed through for_json, so they
// are valid UTF-8 and can be turned back into the very bytes. The output is pure ASCII and ends
// with a line feed.
//
// Thread contract: pure functions; nothing is printed here.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/report.h"
#include "apps/cli/terminal.h"
#include "vitrine/base/result.h"
#include "vitrine/views/value.h"

namespace vitrine::cli {

enum class JsonLayout {
  line,      // one object a line, for programs
  indented,  // for eyes
};

// Indented on a terminal unless watching, where each line is one object.
JsonLayout json_layout(const Terminal& terminal, bool watching);

// One observation of a view.
std::string observation_json(const ObservationReport& report,
                             std::span<const views::Column> columns,
                             std::span<const views::Row> rows, JsonLayout layout);

// One observation of a file's content, whose rows are its ranges: the same with "file".
std::string file_json(const ObservationReport& report, const FileReport& file,
                      std::span<const views::Column> columns, std::span<const views::Row> rows,
                      JsonLayout layout);

// One view of several that were observed together; with an error, it could not be had.
struct ViewReport {
  std::string_view name;
  std::span<const views::Column> columns;
  std::vector<views::Row> rows = {};
  std::vector<std::string> warnings = {};
  std::optional<base::Error> error = {};
};

// One observation of several views: {"schema","vm","kernel","technique","observation",
// "views":{NAME:{"rows","warnings"} or {"error"}, …},"warnings"}; report.view is not used.
std::string views_json(const ObservationReport& report, std::span<const ViewReport> views,
                       JsonLayout layout);

// A plain list, as of `ls` and `techniques`: {"schema":1,KEY:[rows]}, with "vm" where one is given.
std::string list_json(std::string_view key, const std::optional<VmIdentity>& vm,
                      std::span<const views::Column> columns, std::span<const views::Row> rows,
                      JsonLayout layout);

// A fact of `info` and how it was found.
struct Fact {
  std::string_view name;  // as in JSON, e.g. "release"
  views::Type type = views::Type::text;
  views::Value value = {};
  std::string found_by = {};              // where it was read from, e.g. "init_uts_ns"
  std::optional<base::Error> error = {};  // why the value is null
};

// {"schema":1,"vm":…,"info":{NAME:{"value","found_by"[,"error"]}, …},"warnings":[…]}
std::string info_json(const VmIdentity& vm, std::span<const Fact> facts,
                      std::span<const std::string> warnings, JsonLayout layout);

// The cost and speed of observing, flat as the contract names its keys.
std::string rate_json(const RateReport& report, JsonLayout layout);

// RFC 3339 in UTC with nanoseconds, e.g. "2026-01-31T12:00:00.000000001Z".
std::string rfc3339(std::chrono::sys_time<std::chrono::nanoseconds> time);

}  // namespace vitrine::cli
