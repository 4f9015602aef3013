// Reading the memory of another process, scattered pieces in as few calls as the host allows.
//
// Thread contract: one thread at a time per object. Effect: as if the process read the pages
// itself, so a page it never touched is allocated by reading it: ask the pagemap first. No
// allocation per call. The process id is trusted: check with host::alive() that it is still the
// same process.
#pragma once

#include <sys/uio.h>

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <span>

#include "vitrine/base/address.h"
#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/host/proc_root.h"

namespace vitrine::host {

// One piece: filled wholly, or not `ok` and its bytes unspecified.
struct RemoteRead {
  base::HostVirtual from;
  std::span<std::byte> into;
  bool ok = false;
};

// How many pages of the process the host has merged with equal ones of others (KSM;
// Documentation/admin-guide/mm/ksm.rst). process_vm_readv pins what it reads, and since Linux 5.19
// (a7f226604170, "trigger FAULT_FLAG_UNSHARE") a page that may be shared is copied for that: each
// merged page that is read takes memory again. Pages that a fork shares, too. /proc/PID/mem pins
// nothing. 0 where the host counts none: those that know no such count copy nothing. Error:
// `denied` where it is not told to us.
base::Result<std::uint64_t> merged_pages(pid_t pid, const ProcRoot& proc = {});

// process_vm_readv(2). To be used where no page is shared: see merged_pages().
class ProcessVmReader {
 public:
  explicit ProcessVmReader(pid_t pid) : pid_(pid) {}

  // Reads every piece it can and sets its `ok`; a piece that cannot be read costs a call more.
  // Errors, with no piece after the failing call ok: `denied` (see rights.h), `gone`, `unreadable`.
  base::Result<void> read(std::span<RemoteRead> pieces);

  std::uint64_t calls() const { return calls_; }  // host calls made so far

 private:
  base::Result<std::size_t> read_batch(std::span<RemoteRead> pieces);

  pid_t pid_;
  std::uint64_t calls_ = 0;
  std::array<iovec, IOV_MAX> local_{};
  std::array<iovec, IOV_MAX> remote_{};
};

// pread(2) on /proc/PID/mem: one call per piece.
class ProcMemReader {
 public:
  // Errors: `denied` (see rights.h), `gone`.
  static base::Result<ProcMemReader> open(pid_t pid, const ProcRoot& proc = {});

  // As ProcessVmReader::read.
  base::Result<void> read(std::span<RemoteRead> pieces);

  std::uint64_t calls() const { return calls_; }

 private:
  explicit ProcMemReader(base::FileDescriptor file) : file_(std::move(file)) {}

  base::FileDescriptor file_;
  std::uint64_t calls_ = 0;
};

}  // namespace vitrine::host
