// QEMU's debugger stub, connected and reading guest-physical memory: the one that the VM was
// started with, or else one that is opened for us.
//
// A stub of ours is connected by a pair of sockets, one end of which QEMU is handed as a
// descriptor: there is no path and no port, nobody else can reach it, and it ends with us. Opening
// the first one leaves an unused monitor object in QEMU that cannot be removed, a few kilobytes.
//
// Whatever is changed is noted first and undone by Intervention's means: the address mode of the
// stub, which outlives its connection, is set back through a new connection, and a stub of ours is
// closed.
//
// Thread contract: one thread at a time per object. Effect on the guest: connecting stops it, so
// have it stopped before (Pause), also when this is closed; it may run in between.
#pragma once

#include <optional>
#include <string>

#include "vitrine/base/result.h"
#include "vitrine/vmm/gdb_remote.h"
#include "vitrine/vmm/intervention.h"
#include "vitrine/vmm/machine.h"

namespace vitrine::vmm {

// Where a stub that the VM already has can be connected to.
struct StubEndpoint {
  std::string socket;      // path of a Unix socket, as this process can open it
  std::uint16_t port = 0;  // on the loopback interface, where `socket` is empty

  friend bool operator==(const StubEndpoint&, const StubEndpoint&) = default;
};

// The stub that the VM has, if it has one. No effect on the VM. Errors: `unreadable` where another
// debugger is connected, `unsupported` where it listens somewhere we do not go (another host's
// address, another network namespace, a serial device).
base::Result<std::optional<StubEndpoint>> existing_stub(Qmp& qmp, const Machine& machine,
                                                        const host::ProcRoot& proc = {});

// What query-chardev says of where a stub listens, "disconnected:unix:PATH,server=on" or
// "disconnected:tcp:ADDRESS:PORT,server=on". Errors: as existing_stub.
base::Result<StubEndpoint> parse_stub(std::string_view filename);

class GdbStub {
 public:
  // REQUIRES: the VM stands still. Errors: as existing_stub, GdbRemote and Qmp.
  static base::Result<GdbStub> open(Intervention& intervention, const Machine& machine);

  GdbRemote& remote() { return remote_; }

  // REQUIRES: the VM stands still. Error: `timeout`; the guardian tries again in the end.
  static base::Result<void> close(GdbStub stub);

 private:
  GdbStub(GdbRemote remote, Change opened)
      : opened_(std::move(opened)), remote_(std::move(remote)) {}

  Change opened_;
  Change mode_;
  GdbRemote remote_;  // goes first: undoing connects anew
};

}  // namespace vitrine::vmm
