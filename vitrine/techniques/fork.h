// fork: a copy-on-write copy of the VMM's process, made without its knowledge, read while the guest
// runs on. Live snapshot.
//
// Effect on the guest: it stands still while its page tables are copied (before that, while its
// disks come to rest where it uses asynchronous I/O: vmm/drain.h), and the first write to
// each page afterwards takes longer; all of it over when the access ends (host/process_copy.h).
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class Fork final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  std::vector<std::string> steps(const vmm::Machine& machine,
                                 const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
