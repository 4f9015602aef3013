// What `top` shows of one moment: the guest's processes with the share of a processor that each
// used since the moment before, and what looking costs.
//
// Thread contract: one thread at a time per object.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/views/activity.h"

namespace vitrine::cli {

// The columns of TopProcess::row.
std::span<const views::Column> top_columns();

struct TopProcess {
  views::Row row;
  double share = 0;  // of one processor, in percent
  std::uint64_t run_ns = 0;
  std::uint64_t rss_bytes = 0;
  std::int64_t pid = 0;
};

struct TopSample {
  std::vector<TopProcess> processes;
  std::map<char, std::size_t> states;  // how many processes are in each
  views::SystemLoad system;
  double share = 0;  // of one processor, of all processes together, in percent
  std::string vm;
  std::string technique;
  // What looking took: of a core, in percent; and for one refresh.
  double own_share = 0;
  std::uint64_t duration_ns = 0, reads = 0, stopped_ns = 0;
  std::string notice = {};  // what the user should know, e.g. that the guest reboots
};

// Keeps what each process had used, to tell what it used since. The first time it is what it used
// since it started.
class ProcessorShares {
 public:
  // Fills in processes, states, system and share. `now_ns`: a clock's time of that moment.
  void update(const views::Activity& activity, std::uint64_t now_ns, TopSample& sample);
  void forget() { before_.clear(); }

 private:
  // A task, told from a later one of the same number by when it started.
  using Task = std::pair<std::int64_t, std::uint64_t>;

  std::map<Task, std::uint64_t> before_;  // ordered: a guest chooses the keys
  std::uint64_t before_ns_ = 0;
};

}  // namespace vitrine::cli
