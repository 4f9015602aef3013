// The taxonomy of VM introspection (Suneja et al., VEE 2015) as an interface: a technique takes a
// VM and returns readable guest-physical memory. One file per technique, one line in registry.cc.
//
// Thread contract: techniques are immutable and may be used from any thread; an Access belongs to
// one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/vmm/intervention.h"
#include "vitrine/vmm/machine.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::techniques {

// What opening a technique does to the VM.
enum class Effect {
  passive,     // the VM cannot notice
  intrusive,   // noticeable, and undone when the access ends
  persistent,  // stays when the access ends
};

std::string_view name(Effect effect);

// Whether it takes the VM's manager, its monitor or libvirt, to do it.
enum class Manager { never, sometimes, always };

// A technique's place in the taxonomy, and what it demands.
struct Description {
  std::string_view id;
  std::string_view technique_class;
  std::string_view cooperation;  // axis: what must run inside the guest
  std::string_view snapshot;     // axis: live memory or a point-in-time copy
  std::string_view liveness;     // axis: does the guest keep running meanwhile
  std::string_view access;       // axis: mapping, reads, manager's interface, through the guest
  Effect effect = Effect::passive;
  std::string_view demands;          // of host, hypervisor and guest
  bool one_instant = false;          // what an observation sees is of one instant
  bool searches = true;              // fast enough to look for a kernel in all of RAM
  bool needs_running_guest = false;  // the guest itself does the reading: it can't be paused for it
  bool needs_running_vmm = false;    // the VMM does the reading: it can't be frozen for it
  Manager manager = Manager::never;
  std::string_view started_with = {};  // what a VM must have been started with, of what QEMU leaves
                                       // out by itself; empty where it is nothing
};

// What opening a technique returns: readable memory, plus whatever was done to the VM, undone when
// it goes out of scope.
class Access {
 public:
  virtual ~Access() = default;

  virtual memory::PhysicalMemory& memory() = 0;

  // Called as an observation begins, but for the first: an access that was just opened has begun.
  // Takes a new copy where the technique copies, stops the guest where reading needs it stopped.
  // The windows of memory(), if it has any, stay where they are.
  virtual base::Result<void> begin() { return {}; }

  // Called when an observation is over: lets the guest go on.
  virtual base::Result<void> end() { return {}; }

  // Called when nothing will be read before the next begin(): lets go of a copy that costs the
  // guest something while it lasts.
  virtual base::Result<void> rest() { return {}; }

  // The connection to the VM's monitor that this access occupies, if it does: a monitor serves one
  // client at a time, so whoever else needs it has to share it.
  virtual vmm::Intervention* intervention() { return nullptr; }

  // How long the guest was stopped for the observation that began last, in nanoseconds; complete
  // once it has ended.
  virtual std::uint64_t stopped_ns() const { return 0; }
  // How much of that went by until the VM's disks were at rest.
  virtual std::uint64_t drained_ns() const { return 0; }
};

class Technique {
 public:
  virtual ~Technique() = default;

  virtual const Description& description() const = 0;

  // Whether the technique can be opened on this VM now; the error says why not and how to make it
  // so. No effect on the VM.
  virtual base::Result<void> usable(const vmm::Machine& machine,
                                    const vmm::RamLayout& layout) const = 0;

  // What opening it and each observation would do to this VM, step by step, in words for people;
  // none where the VM could not notice. No effect on the VM.
  virtual std::vector<std::string> steps(const vmm::Machine& machine,
                                         const vmm::RamLayout& layout) const;

  // Opens it, with the effect that its description names.
  virtual base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                                     const vmm::RamLayout& layout) const = 0;
};

// Every technique, in the order in which `auto` prefers them.
std::span<const Technique* const> all();

// The technique of that id; `invalid` with the list of ids if there is none.
base::Result<const Technique*> find(std::string_view id);

// The best passive technique that is usable on this VM; if none is, the error says why for each.
// `copied`: a copy of the VMM is being held, whose pages are not to be copied by reading them.
base::Result<const Technique*> choose(const vmm::Machine& machine, const vmm::RamLayout& layout,
                                      bool copied = false);

}  // namespace vitrine::techniques
