// A survey's data for other programs: all of it as JSON, and its runs as CSV.
//
// Names and numbers are those of study.h. A figure that could not be had is left out (JSON) or
// empty (CSV), never zero. Times and sizes are whole numbers of nanoseconds and bytes where study.h
// has them as such.
//
// Thread contract: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "vitrine/survey/study.h"

namespace vitrine::survey {

// "measured", "refused" or "failed".
std::string_view state_name(State state);

// {"schema":1,"facts":{NAME:TEXT, …},
//  "guests":[{"name","release","memory_bytes","processors","tasks"}, …],
//  "cells":[{"guest","workload","view","technique","pause","demand","frequency_hz",
//            "runs":[{"started_unix_ns","state","reason","figures":{NAME:NUMBER, …},
//                     "latencies":[[ns,count], …]}, …]}, …]}
// on one line, ASCII only: whatever else a guest is called stands as \uNNNN, and a byte that is no
// UTF-8 as \ufffd.
std::string study_json(const Study& study);

// One line per run, after a line of names: the cell's, "run" (from 1, within its cell),
// "started_unix_ns", "state", "reason", and a column for each figure that any run has. Quoted as
// RFC 4180 says, each line ended by a line feed. What was planned and not run has no line.
std::string study_csv(const Study& study);

}  // namespace vitrine::survey
