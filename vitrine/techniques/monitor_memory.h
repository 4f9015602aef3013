// Reads guest-physical memory through the VM's monitor while the guest runs: short pieces as text
// (HMP xp), longer ones (QMP pmemsave) into a memory file without a name that QEMU is handed as a
// descriptor, so that nothing is written to a disk and no path is left behind.
//
// Thread contract: one thread at a time per object. Effect on the guest: QEMU's main loop is kept
// busy for each command (fractions of a millisecond; some milliseconds for kLongest); the
// descriptor that QEMU holds is taken back at the end.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/techniques/handed_descriptor.h"
#include "vitrine/vmm/intervention.h"

namespace vitrine::techniques {

class MonitorMemory {
 public:
  // Up to here text is faster: it costs less to begin with, but far more a byte.
  static constexpr std::size_t kText = 1024;
  // Bytes that one command fetches at most, which bounds how long it keeps the main loop busy.
  static constexpr std::size_t kLongest = 1 << 20;

  // Hands QEMU, process `pid`, the file; where it does not take it, all is read as text. Errors:
  // those of the connection and of Intervention::note.
  static base::Result<MonitorMemory> begin(vmm::Intervention& intervention, pid_t pid);

  // Reads each request wholly or not at all, and sets its status. QEMU reads whatever there is,
  // registers of devices too: ask for RAM only.
  void read(std::span<memory::ReadRequest> requests);

 private:
  // What one command prints.
  struct Part {
    memory::ReadRequest* request = nullptr;
    std::size_t offset = 0;
    std::size_t size = 0;

    base::GuestPhysical from() const { return request->address + offset; }
    std::span<std::byte> into() const { return request->into.subspan(offset, size); }
  };

  explicit MonitorMemory(vmm::Intervention& intervention) : intervention_(&intervention) {}

  base::Result<void> hand_over(pid_t pid);
  void read_text(std::span<const Part> parts);
  bool read_through_file(const memory::ReadRequest& request);

  vmm::Intervention* intervention_;
  base::FileDescriptor file_;
  std::optional<NamedDescriptor> handed_over_;
  std::string path_;  // by which QEMU opens the file; empty where it can't
};

// The words that HMP xp /Nxg prints for [from, from + into.size()), where both are multiples of 8:
// lines of "ADDRESS: 0xWORD 0xWORD". False unless `text` is just that.
bool parse_words(std::string_view text, base::GuestPhysical from, std::span<std::byte> into);

}  // namespace vitrine::techniques
