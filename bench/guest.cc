#include "bench/guest.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "vitrine/kernel/locate.h"
#include "vitrine/memory/load.h"

namespace vitrine::bench {

void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "benchmark aborted: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

std::unique_ptr<synthetic::Guest> make_guest(int more_symbols) {
  memory::FaultRecovery::install();
  synthetic::GuestOptions options;
  options.mapped = true;
  options.kernel.filler_symbols += more_symbols;
  auto guest = std::make_unique<synthetic::Guest>(options);
  for (int pid = 1; pid <= kProcesses; ++pid) {
    synthetic::Process process{.pid = pid, .parent = pid > 1 ? 1 : 0};
    process.comm = "task-" + std::to_string(pid);
    process.kernel_thread = pid % 3 != 1;  // as many as in a small server
    if (!process.kernel_thread) process.arguments = {"/usr/bin/task", std::to_string(pid)};
    guest->add_process(process);
  }
  return guest;
}

std::span<const memory::Window> windows(synthetic::Guest& guest) {
  return dynamic_cast<const memory::Windows&>(guest.memory()).windows();
}

kernel::Kernel locate(synthetic::Guest& guest) {
  const memory::X86Registers registers = guest.registers();
  return value(kernel::locate(guest.memory(), {.registers = {&registers, 1}, .hint = {}}));
}

CopiedMemory::CopiedMemory(synthetic::Guest& guest)
    : guest_(guest), window_(windows(guest).front()) {
  require(windows(guest).size() == 1, "the guest's RAM is one range");
}

void CopiedMemory::read(std::span<memory::ReadRequest> requests) {
  for (memory::ReadRequest& request : requests) {
    if (!window_.range.contains(request.address, request.into.size())) {
      request.status = memory::ReadStatus::outside_ram;
      continue;
    }
    const std::byte* from = window_.bytes + (request.address - window_.range.start);
    request.status = memory::load_bytes(from, request.into) ? memory::ReadStatus::ok
                                                            : memory::ReadStatus::not_populated;
  }
}

std::vector<memory::Range> CopiedMemory::populated(memory::Range within) {
  return guest_.memory().populated(within);
}

}  // namespace vitrine::bench
