// proc-mem: reads the VMM's memory through /proc/PID/mem, one system call for each piece.
//
// Passive: works wherever process-vm does, and where a seccomp profile forbids that one.
#pragma once

#include <utility>

#include "vitrine/host/memory_read.h"
#include "vitrine/techniques/region_memory.h"
#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class ProcMemPieces final : public PieceReader {
 public:
  explicit ProcMemPieces(host::ProcMemReader reader) : reader_(std::move(reader)) {}
  // The pieces say what could be read; why not, a later check of the machine finds out.
  void read(std::span<host::RemoteRead> pieces) override { (void)reader_.read(pieces); }

 private:
  host::ProcMemReader reader_;
};

class ProcMem final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
