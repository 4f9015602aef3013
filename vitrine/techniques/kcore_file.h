// /proc/kcore of a guest, opened through its agent.
//
// Thread contract: one thread at a time per object. Effect on the guest: its agent keeps a file
// open until this is destroyed or, if this process dies, the guardian closes it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/techniques/kcore.h"
#include "vitrine/vmm/agent_intervention.h"
#include "vitrine/vmm/machine.h"

namespace vitrine::techniques {

class KcoreFile {
 public:
  // Bytes of the file: whole pages at a multiple of a page. The agent reads through the C library's
  // buffer, which it may serve again after a seek; whole pages bypass it in every C library.
  struct Piece {
    std::uint64_t offset = 0;
    std::span<std::byte> into;
    bool ok = false;
  };

  static constexpr std::size_t kMostPerPiece = 256 << 10;

  // Errors say what is missing in the guest and how to make it so: no agent, commands that are
  // forbidden, no right (the agent is not root, or the kernel is locked down), no /proc/kcore.
  static base::Result<std::unique_ptr<KcoreFile>> open(const vmm::Machine& machine);
  static base::Result<std::unique_ptr<KcoreFile>> open(vmm::GuestAgent agent);

  const std::vector<KcoreSegment>& segments() const { return kcore_.segments; }

  // Reads every piece it can, of at most kMostPerPiece bytes each, and sets its `ok`. Error: the
  // connection is of no more use until resynchronize() succeeds.
  base::Result<void> read(std::span<Piece> pieces);

  base::Result<void> resynchronize();
  bool broken() const { return intervention_->agent().broken(); }

 private:
  explicit KcoreFile(std::unique_ptr<vmm::AgentIntervention> intervention)
      : intervention_(std::move(intervention)) {}

  base::Result<void> read_headers();
  base::Result<void> verify();
  std::optional<base::GuestPhysical> told_note();

  std::unique_ptr<vmm::AgentIntervention> intervention_;
  std::int64_t handle_ = 0;
  Kcore kcore_;
};

}  // namespace vitrine::techniques
