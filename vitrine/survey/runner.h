// Makes the runs of a survey: in rounds that take turns over all cells, so that what disturbs the
// host for a while disturbs them all; each cell until its median is known well enough.
//
// Which run comes next follows from the runs that there are, so a survey that was killed goes on as
// if it had not been.
//
// Thread contract: one thread. Effect on the guest: that of the cells.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include "vitrine/base/result.h"
#include "vitrine/survey/study_file.h"

namespace vitrine::survey {

// Makes a run of a cell: of a VM, or, in tests, of nothing.
class Measurer {
 public:
  virtual ~Measurer() = default;

  // What came of it, failed runs included. Its figure "took_ns" is all of the time that it took.
  // Errors: what ends the survey, since no other run could be made, e.g. `gone`.
  virtual base::Result<Run> measure(const Cell& cell) = 0;
};

struct Limits {
  std::size_t fewest = 3;  // runs that tell how much they differ
  std::size_t most = 7;    // runs of a cell
  // The interval of the median of views a second is tight where neither end is farther from the
  // median than this share of it.
  double tight = 0.05;
  // Once each cell has a run, others are made until this time is used up, of which no cell gets
  // more than its share.
  std::chrono::nanoseconds time = std::chrono::minutes(10);
  double cell_share = 0.05;
};

struct Progress {
  const Cell* next = nullptr;
  std::size_t round = 0;                 // from 1
  std::size_t missing = 0;               // cells without a run
  std::chrono::nanoseconds used{};       // by all runs so far
  std::chrono::nanoseconds remaining{};  // as far as can be told
};

enum class Ended {
  complete,
  interrupted,  // `go_on` said so
};

// Runs what is left to be run. `go_on` is asked before each run. Errors: the measurer's; as
// StudyFile::append. What was run before is kept then.
base::Result<Ended> run_survey(StudyFile& file, Measurer& measurer, const Limits& limits,
                               const std::function<bool(const Progress&)>& go_on);

// Cells that were planned and have no run.
std::size_t missing(const Study& study);

}  // namespace vitrine::survey
