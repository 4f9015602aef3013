// What a survey's report shows, as JSON for its page: each cell's runs summed up, the techniques as
// they describe themselves, and the findings with the cells that they rest on.
//
// Thread contract: pure function.
#pragma once

#include <string>

#include "vitrine/survey/study.h"

namespace vitrine::survey {

// {"facts":{NAME:TEXT, …},"guests":[as study_json has them],
//  "techniques":[{"id","class","effect","cooperation","snapshot","liveness","access","demands"},
//  …], "findings":[{"statement","verdict","explanation","evidence":[index into cells, …]}, …],
//  "cells":[{"guest","workload","view","technique","pause","demand","frequency_hz",
//            "state":"measured|failed|refused|missing","reason","runs","unsuccessful",
//            "started_unix_ns","figures":{NAME:{"median","low","high"}, …},
//            "latencies":[[ns,count], …],
//            "audit":null or {"audited","intrinsic":{"share","low","high"},"extrinsic":{…}}}, …]}
//
// A cell is measured if any of its runs was; "runs" counts those, "unsuccessful" the others, and
// "reason" is the last such one's. Figures are of the measured runs: median, least and greatest.
// "latencies" adds up their histograms, in steps of a fortieth of a decade, where a pair says how
// many observations took up to that long. "audit" adds up what was audited; low and high are the
// 95% confidence interval.
//
// The text is ASCII and fit to stand inside a <script> element: it has no '<'.
std::string report_data(const Study& study);

}  // namespace vitrine::survey
