// A client of GDB's Remote Serial Protocol as far as QEMU's stub (gdbstub/) is needed for reading
// guest-physical memory. Nothing waits without a limit.
//
// While the processors run, QEMU's stub takes any byte that is sent to it for a request to stop
// them: nothing may be sent then, and nothing of ours may be on its way when they are let go. So
// replies are not acknowledged one by one: QEMU takes the next request for the acknowledgement, and
// one that follows each exchange is always expected.
//
// Thread contract: one thread at a time per object. Effect on the guest: connecting stops it;
// QEMU's physical memory mode outlives the connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/vmm/gdb_packet.h"

namespace vitrine::vmm {

struct GdbLimits {
  std::chrono::milliseconds greeting{2000};  // the first answer
  std::chrono::milliseconds reply{10000};    // each further one
};

class GdbRemote {
 public:
  // On a connected socket, whose other end is the stub of a guest that stands still: asks what it
  // supports. Errors: `timeout` where it does not answer, as where another debugger holds it;
  // `inconsistent`, `gone`.
  static base::Result<GdbRemote> adopt(base::FileDescriptor socket, const GdbLimits& limits = {});

  // Whether addresses are guest-physical ones rather than those of the current processor's own
  // address space ("qqemu.PhyMemMode"; QEMU 5.0 and later). Error: `unsupported`.
  base::Result<bool> physical_mode();
  base::Result<void> set_physical_mode(bool on);

  // Reads each request wholly or not at all, and sets its status, several packets on their way at
  // once. The stub reads whatever there is, registers of devices too: ask for RAM only.
  void read(std::span<memory::ReadRequest> requests);

  // Bytes that one packet fetches at most.
  std::size_t bytes_per_packet() const { return packet_bytes_ / 2; }

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  // One packet's part of a request.
  struct Part {
    memory::ReadRequest* request = nullptr;
    std::size_t offset = 0;
    std::size_t size = 0;
  };

  GdbRemote(base::FileDescriptor socket, const GdbLimits& limits);

  void learn_packet_size(std::string_view supported);
  base::Result<std::string> ask(std::string_view request);
  base::Result<void> fetch(std::span<const Part> parts);
  base::Result<void> send(std::string_view bytes, Deadline deadline);
  base::Result<std::string> receive(Deadline deadline);
  base::Result<void> acknowledge(Deadline deadline);
  base::Result<void> wait(short events, Deadline deadline);

  base::FileDescriptor socket_;
  GdbLimits limits_;
  GdbFramer framer_;
  std::size_t packet_bytes_ = 400;  // what a stub that names no size is expected to take
  bool broken_ = false;
};

}  // namespace vitrine::vmm
