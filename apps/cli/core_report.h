// What `vitrine memory` says of the core it has written, in JSON and for people.
//
// Thread contract: pure functions; nothing is printed here.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/json.h"
#include "apps/cli/report.h"
#include "vitrine/images/process_core.h"

namespace vitrine::cli {

struct CoreSummary {
  VmIdentity vm;
  KernelIdentity kernel;
  std::string_view technique;
  std::string_view atomic;  // as in an observation's consistency
  std::chrono::sys_time<std::chrono::nanoseconds> started = {};
  std::uint64_t duration_ns = 0, stopped_ns = 0;
  std::string file;
  std::int64_t pid = 0;
  std::string name;  // of the process
  std::size_t threads = 0;
  std::size_t regions = 0;
  images::CoreReport report;
  std::vector<std::string> warnings;
};

std::string core_json(const CoreSummary& core, JsonLayout layout);
std::string core_text(const CoreSummary& core);

}  // namespace vitrine::cli
