// The figures of a cell's runs, and how people read them.
//
// Thread contract: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/survey/study.h"

namespace vitrine::survey {

// A figure of each run that was measured and has it, in the order of the runs.
std::vector<double> values(const Measured& measured, std::string_view figure);

// Their median; absent where no run has it.
std::optional<double> typical(const Measured& measured, std::string_view figure);

// Whether any run was measured.
bool was_measured(const Measured& measured);

// Three digits and a unit: "315 ms", "3.76 us", "0 ns"; "7.81 Hz", "258 kHz"; "0.42 %".
std::string duration_text(double ns);
std::string frequency_text(double hz);
std::string share_text(double share);

// "fork", "map --pause=freeze", "process-vm --atomic": as the command line asks for it.
std::string way_text(const Cell& cell);

// The way, and on what guest, at what work and how often it was used: for people to find it again.
std::string cell_text(const Cell& cell);

}  // namespace vitrine::survey
