#include "apps/cli/second_opinion_view.h"

#include <algorithm>
#include <string>
#include <utility>

#include "vitrine/vmm/agent_port.h"

namespace vitrine::cli {
namespace {

using base::Code;
using base::fail;

const views::Processes& as_processes(const views::View& view) {
  return static_cast<const views::Processes&>(view);
}

// What a difference means, for people.
void describe(const std::vector<session::SeenBy>& seen_by, std::size_t only_in_guest,
              views::Outcome& outcome) {
  const auto hidden = std::ranges::count(seen_by, session::SeenBy::vitrine);
  if (hidden > 0)
    outcome.warnings.push_back(std::to_string(hidden) +
                               " of these do not show in the guest's own list: something hides "
                               "them there");
  if (only_in_guest > 0)
    outcome.warnings.push_back(std::to_string(only_in_guest) +
                               " of these show in the guest's own list alone: something has taken "
                               "them out of the kernel's list of tasks");
}

}  // namespace

base::Result<std::unique_ptr<views::View>> SecondOpinionView::attach(
    std::unique_ptr<views::View> processes, session::Session& session, bool threads) {
  if (session.technique().needs_running_guest)
    return fail(Code::invalid,
                "the technique " + std::string(session.technique().id) +
                    " asks the guest itself, so that the guest's own list is no second opinion",
                "choose another technique, or leave --second-opinion out");
  if (session.machine() == nullptr)
    return fail(Code::invalid, "the guest of a memory image cannot be asked for a second opinion",
                "leave --second-opinion out");
  auto agent = vmm::open_agent(*session.machine());
  if (!agent) return fail(agent.error());
  auto guest = vmm::AgentIntervention::begin(std::move(*agent));
  if (!guest) return fail(guest.error());
  return std::unique_ptr<views::View>(
      new SecondOpinionView(std::move(processes), std::move(*guest), threads));
}

SecondOpinionView::SecondOpinionView(std::unique_ptr<views::View> processes,
                                     std::unique_ptr<vmm::AgentIntervention> guest, bool threads)
    : processes_(std::move(processes)), guest_(std::move(guest)), threads_(threads) {
  columns_.assign(processes_->columns().begin(), processes_->columns().end());
  columns_.push_back({.name = "seen_by",
                      .type = views::Type::text,
                      .description = "who shows it: both, vitrine (hidden in the guest) or guest "
                                     "(not in the kernel's list of tasks); null where it came "
                                     "while both were asked"});
}

views::Outcome SecondOpinionView::collect(views::Reader& reader) {
  seen_by_.clear();
  guest_only_.clear();
  return processes_->collect(reader);
}

session::StartTimes SecondOpinionView::listed() const {
  session::StartTimes times;
  for (const views::Process& process : as_processes(*processes_).processes())
    times[process.pid] = process.start_ns;
  return times;
}

void SecondOpinionView::judge(const session::Listings& listings,
                              std::vector<session::GuestProcess> guest) {
  seen_by_.clear();
  guest_only_.clear();
  for (const views::Process& process : as_processes(*processes_).processes())
    seen_by_.push_back(session::judge(process.pid, listings));
  const std::vector<std::int64_t> only = session::only_in_guest(listings);
  for (session::GuestProcess& process : guest)
    if (std::ranges::binary_search(only, process.pid)) guest_only_.push_back(std::move(process));
}

base::Result<session::Observation> SecondOpinionView::observe(session::Session& session) {
  session::Listings listings;
  auto guest = session::list_guest_processes(*guest_, threads_);
  if (!guest) return fail(guest.error());
  listings.guest_first = session::start_times(*guest);
  auto first = session.observe(*this);
  if (!first) return first;
  listings.memory_first = listed();
  guest = session::list_guest_processes(*guest_, threads_);
  if (!guest) return fail(guest.error());
  listings.guest_last = session::start_times(*guest);
  auto last = session.observe(*this);
  if (!last) return last;
  listings.memory_last = listed();
  // A list that is known to lack processes proves nothing about those it lacks.
  if (!first->outcome.complete || !last->outcome.complete) listings.guest_first.clear();
  judge(listings, std::move(*guest));
  describe(seen_by_, guest_only_.size(), last->outcome);
  return last;
}

views::Row SecondOpinionView::guest_row(const session::GuestProcess& process) const {
  views::Row row;
  row.values.resize(columns_.size());
  const auto set = [&](std::string_view column, views::Value value) {
    const auto found = std::ranges::find(columns_, column, &views::Column::name);
    if (found != columns_.end())
      row.values[static_cast<std::size_t>(found - columns_.begin())] = std::move(value);
  };
  set("pid", process.pid);
  if (!threads_) set("tgid", process.pid);
  set("ppid", process.ppid);
  set("comm", process.comm);
  set("state", std::string(1, process.state));
  set("seen_by", std::string(session::name(session::SeenBy::guest)));
  return row;
}

views::Row SecondOpinionView::row(std::size_t index) const {
  if (index >= processes_->size()) return guest_row(guest_only_[index - processes_->size()]);
  views::Row row = processes_->row(index);
  const auto seen_by = index < seen_by_.size() ? seen_by_[index] : session::SeenBy::undecided;
  views::Value& value = row.values.emplace_back();
  if (seen_by != session::SeenBy::undecided) value = std::string(session::name(seen_by));
  return row;
}

}  // namespace vitrine::cli
