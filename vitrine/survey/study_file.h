// A survey's file: one SQLite database, written run by run, so that a survey that was killed keeps
// what it has. docs/survey.md describes its tables.
//
// Thread contract: one thread at a time; others may load the study meanwhile. No effect on the
// guest.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/survey/database.h"
#include "vitrine/survey/study.h"

namespace vitrine::survey {

// Of the tables; a file says which one it has.
inline constexpr std::int64_t kStudySchema = 1;

// The fact that says what a survey is of: a file is continued only by a survey of the same plan.
inline constexpr std::string_view kPlanFact = "plan";

class StudyFile {
 public:
  // Makes a file of what is `planned`, its runs included, or continues the one that is there: of
  // that, what it holds counts, and not what is planned now. Nobody else can continue it meanwhile.
  // Errors: as load_study; `invalid` where it is of another plan; `timeout` where another survey
  // writes there.
  static base::Result<StudyFile> create_or_resume(const std::string& path, const Study& planned);

  // All that the file holds.
  const Study& study() const { return study_; }

  // Keeps a run of a cell that is planned. When it returns without an error, the run is on the
  // disk. Errors: `invalid` where no such cell is planned or a figure is no number; as SQLite, e.g.
  // a full disk.
  base::Result<void> append(const Cell& cell, const Run& run);

  // Keeps a fact, in place of the one of that name. Errors: as SQLite.
  base::Result<void> set_fact(const std::string& name, const std::string& value);

 private:
  StudyFile(base::FileDescriptor folder, Database database)
      : folder_(std::move(folder)), database_(std::move(database)) {}
  base::Result<void> write_plan(const Study& planned);
  base::Result<void> write_run(std::int64_t cell, const Run& run);

  base::FileDescriptor folder_;  // locked
  Database database_;
  Study study_;
};

// Errors: `absent` where there is no such file, `inconsistent` where it is no survey or damaged,
// `unsupported` where a newer Vitrine wrote it; as open.
base::Result<Study> load_study(const std::string& path);

}  // namespace vitrine::survey
