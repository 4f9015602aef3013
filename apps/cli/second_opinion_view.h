// The processes view with the guest's own list beside it: a column says who shows each process, and
// rows are added for those that only the guest shows.
//
// Thread contract: one thread at a time. Effect on the guest: its agent runs a shell that lists
// /proc, twice per observation.
#pragma once

#include <memory>
#include <vector>

#include "vitrine/session/second_opinion.h"
#include "vitrine/session/session.h"
#include "vitrine/views/processes.h"
#include "vitrine/vmm/agent_intervention.h"

namespace vitrine::cli {

class SecondOpinionView final : public views::View {
 public:
  // REQUIRES: `processes` is a views::Processes. Errors: `invalid` where the session's own
  // technique asks the guest, which makes one opinion of two; as vmm::open_agent.
  static base::Result<std::unique_ptr<views::View>> attach(std::unique_ptr<views::View> processes,
                                                           session::Session& session, bool threads);

  SecondOpinionView(std::unique_ptr<views::View> processes,
                    std::unique_ptr<vmm::AgentIntervention> guest, bool threads);

  // Asks both sides twice; the rows are those of the last collection. Errors: as
  // Session::observe and list_guest_processes.
  base::Result<session::Observation> observe(session::Session& session);

  // Judges the processes last collected by what was listed; `guest` is the guest's last list.
  void judge(const session::Listings& listings, std::vector<session::GuestProcess> guest);

  std::string_view name() const override { return processes_->name(); }
  std::span<const views::Column> columns() const override { return columns_; }
  void want(const kernel::Kernel& kernel, memory::PhysicalMemory& memory,
            std::span<const std::string_view> columns) override {
    processes_->want(kernel, memory, columns);
  }

  std::span<const views::GlobalGuard> global_guards() const override {
    return processes_->global_guards();
  }
  void add_object_guards(std::vector<views::ObjectGuard>& guards) const override {
    processes_->add_object_guards(guards);
  }
  views::Outcome collect(views::Reader& reader) override;
  std::size_t size() const override { return processes_->size() + guest_only_.size(); }
  views::Row row(std::size_t index) const override;

 private:
  session::StartTimes listed() const;
  views::Row guest_row(const session::GuestProcess& process) const;

  std::unique_ptr<views::View> processes_;
  std::unique_ptr<vmm::AgentIntervention> guest_;
  bool threads_;
  std::vector<views::Column> columns_;
  std::vector<session::SeenBy> seen_by_;  // of each process
  std::vector<session::GuestProcess> guest_only_;
};

}  // namespace vitrine::cli
