// Guest-physical memory read from a compressed crash dump, as makedumpfile, QEMU and this program
// write them: libkdumpfile reads the file, and unpacks each page as it is asked for.
//
// Thread contract: one thread at a time. Effect on the guest: none. Private memory: two bitmaps,
// and the library's cache of unpacked pages.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/memory/registers.h"

namespace vitrine::memory {

class KdumpMemory final : public PhysicalMemory {
 public:
  // Errors: `unsupported` with libkdumpfile's words for what it does not read, and for dumps of
  // other machines than x86-64; `inconsistent` for one that says nothing of its RAM, or lacks pages
  // that it lists, because it was cut off.
  static base::Result<std::unique_ptr<KdumpMemory>> create(base::FileDescriptor file);
  ~KdumpMemory() override;

  using PhysicalMemory::read;
  void read(std::span<ReadRequest> requests) override;
  std::span<const Range> ram() const override { return ram_; }
  // The pages that the dump holds: those that were left out are not populated.
  std::vector<Range> populated(Range within) override;

  // What libkdumpfile calls the format, e.g. "Compressed KDUMP".
  std::string format() const;
  // The text of VMCOREINFO; empty where the dump has none.
  std::string vmcoreinfo() const;
  // Of every vCPU; empty where the dump has none.
  std::vector<X86GeneralRegisters> processors() const;

 private:
  struct Context;

  explicit KdumpMemory(base::FileDescriptor file);

  bool is_whole();
  std::vector<Range> ranges(const char* bitmap) const;
  std::optional<std::uint64_t> number(const std::string& attribute) const;

  base::FileDescriptor file_;
  std::unique_ptr<Context> context_;
  std::vector<Range> ram_;
  std::vector<Range> held_;
};

}  // namespace vitrine::memory
