// Technique `agent`: the guest reads its own memory for us. Its QEMU guest agent opens /proc/kcore
// and passes the pages that we ask for.
//
// What it shows is what the guest says: a guest that was broken into can lie here as it can to its
// own users.
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class Agent final : public Technique {
 public:
  const Description& description() const override;
  // Asks the agent and opens /proc/kcore for a moment, since nothing else would tell.
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
