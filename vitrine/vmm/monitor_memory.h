// Reads guest-physical memory through the VM's monitor while the guest runs: short pieces as text
// (HMP xp), longer ones (QMP pmemsave) into unnamed memory files that QEMU is handed as
// descriptors, so that nothing is written to a disk and no path is left behind.
//
// Thread contract: one thread at a time per object. Effect on the guest: QEMU's main loop is kept
// busy for each command (fractions of a millisecond; some milliseconds for kLongest); the
// descriptors that QEMU holds are taken back at the end.
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
#include "vitrine/vmm/intervention.h"

namespace vitrine::vmm {

class MonitorMemory {
 public:
  // Up to here text is faster: it costs less to begin with, but far more a byte.
  static constexpr std::size_t kText = 1024;
  // Bytes that one command fetches at most, which bounds how long it keeps the main loop busy.
  static constexpr std::size_t kLongest = 1 << 20;

  // Hands QEMU the files; where it does not take them, all is read as text. Errors: those of the
  // connection and of Intervention::note.
  static base::Result<MonitorMemory> begin(Intervention& intervention);

  // Reads each request wholly or not at all, and sets its status. QEMU reads whatever there is,
  // registers of devices too: ask for RAM only.
  void read(std::span<memory::ReadRequest> requests);

 private:
  // A file of ours, and the path by which QEMU opens its own descriptor of it.
  struct File {
    base::FileDescriptor memory;
    std::string path;
  };

  // What one command fetches.
  struct Part {
    memory::ReadRequest* request = nullptr;
    std::size_t offset = 0;
    std::size_t size = 0;

    base::GuestPhysical from() const { return request->address + offset; }
    std::span<std::byte> into() const { return request->into.subspan(offset, size); }
  };

  explicit MonitorMemory(Intervention& intervention) : intervention_(&intervention) {}

  base::Result<File> hand_over(std::string_view name);
  void read_text(std::span<const Part> parts);
  void read_files(std::span<const Part> parts);

  Intervention* intervention_;
  Change files_taken_back_;
  std::vector<File> files_;
};

// The words that HMP xp /Nxg prints for [from, from + into.size()), where both are multiples of 8:
// lines of "ADDRESS: 0xWORD 0xWORD". False unless `text` is just that.
bool parse_words(std::string_view text, base::GuestPhysical from, std::span<std::byte> into);

}  // namespace vitrine::vmm
