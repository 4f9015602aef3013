// Guest-physical memory that the VM's manager is asked for (its monitor, its debugger stub,
// libvirt). A request costs far more than the bytes it carries, so pieces that lie near each other
// are asked for as one, with what lies between them.
//
// Every request is clamped to validated RAM, and no page that the VMM has not populated is asked
// for, not even between two pieces: the manager would allocate it.
//
// Thread contract: one thread at a time. Effect on the guest: that of the manager's reads. Private
// memory: at most kScratch, and what the requests themselves hold.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vitrine/memory/physical_memory.h"
#include "vitrine/techniques/populated_pages.h"

namespace vitrine::techniques {

// What the techniques differ in.
class Asker {
 public:
  virtual ~Asker() = default;
  // Reads every piece it can and sets its status. The pieces lie in populated RAM.
  virtual void read(std::span<memory::ReadRequest> pieces) = 0;
};

// How far asking for more bytes beats asking once more; measured per manager.
struct Merging {
  std::uint64_t gap = 0;    // bytes between two pieces that are worth reading to join them
  std::uint64_t piece = 0;  // bytes of a joined piece at most
};

class AskedMemory final : public memory::PhysicalMemory {
 public:
  static constexpr std::uint64_t kScratch = 4 << 20;

  // `asker` outlives the memory.
  AskedMemory(PopulatedPages pages, Asker& asker, Merging merging);

  void read(std::span<memory::ReadRequest> requests) override;
  std::span<const memory::Range> ram() const override { return pages_.ram(); }
  std::vector<memory::Range> populated(memory::Range within) override {
    return pages_.populated(within);
  }
  void begin_observation() override { pages_.begin_observation(); }

 private:
  // Requests, in the order of their addresses, that are asked for as one piece.
  struct Group {
    memory::Range range;
    std::size_t first = 0;  // in wanted_
    std::size_t count = 0;
  };

  void group();
  bool joins(const Group& group, const memory::ReadRequest& next);
  void ask(std::span<const Group> groups);
  void hand_out(const Group& group, const memory::ReadRequest& piece);

  PopulatedPages pages_;
  Asker& asker_;
  Merging merging_;
  std::vector<memory::ReadRequest*> wanted_;  // sorted by address
  std::vector<Group> groups_;
  std::vector<memory::ReadRequest> pieces_;
  std::vector<std::byte> scratch_;
};

}  // namespace vitrine::techniques
