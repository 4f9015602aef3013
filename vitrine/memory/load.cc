#include "vitrine/memory/load.h"

#include <signal.h>
#include <ucontext.h>

#include <mutex>

// One entry of the fault table: offsets of the load and of its recovery, each relative to itself.
struct FaultEntry {
  std::int32_t load;
  std::int32_t recovery;
};

extern "C" {
// Made by the linker: the bounds of the section of that name.
// NOLINTBEGIN(bugprone-reserved-identifier): the linker chooses the names
extern const FaultEntry __start_vitrine_fault_table[] __attribute__((visibility("hidden")));
extern const FaultEntry __stop_vitrine_fault_table[] __attribute__((visibility("hidden")));
// NOLINTEND(bugprone-reserved-identifier)
}

namespace vitrine::memory {
namespace {

struct sigaction previous_action;  // set once, before the handler can run

std::uintptr_t target(const std::int32_t& offset) {
  return reinterpret_cast<std::uintptr_t>(&offset) +
         static_cast<std::uintptr_t>(static_cast<std::intptr_t>(offset));
}

void on_bus_error(int signal_number, siginfo_t* info, void* context) {
  auto* machine = &static_cast<ucontext_t*>(context)->uc_mcontext;
  const auto at = static_cast<std::uintptr_t>(machine->gregs[REG_RIP]);
  for (const FaultEntry* entry = __start_vitrine_fault_table; entry != __stop_vitrine_fault_table;
       ++entry) {
    if (target(entry->load) != at) continue;
    machine->gregs[REG_RIP] = static_cast<greg_t>(target(entry->recovery));
    return;
  }
  if ((previous_action.sa_flags & SA_SIGINFO) != 0 && previous_action.sa_sigaction != nullptr) {
    previous_action.sa_sigaction(signal_number, info, context);
    return;
  }
  if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal_number);
    return;
  }
  // Not ours and nobody else's: let the instruction fault again with the default action.
  signal(signal_number, SIG_DFL);
}

}  // namespace

void FaultRecovery::install() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous_action);
  });
}

namespace {

// A string move has a start-up cost that short copies, such as names, would feel.
bool load_words(const std::byte* from, std::span<std::byte> to) {
  std::size_t at = 0;
  for (; at + 8 <= to.size(); at += 8) {
    std::uint64_t word = 0;
    if (!load(from + at, word)) return false;
    std::memcpy(to.data() + at, &word, 8);
  }
  for (; at < to.size(); ++at)
    if (!load(from + at, to[at])) return false;
  return true;
}

}  // namespace

bool load_bytes(const std::byte* from, std::span<std::byte> to) {
  if (to.size() <= 64) return load_words(from, to);
  void* destination = to.data();
  const void* source = from;
  std::size_t left = to.size();
  asm volatile goto(
      "1: rep movsb\n"
      ".pushsection vitrine_fault_table,\"a?\",@progbits\n"
      ".balign 4\n.long 1b - .\n.long %l[fault] - .\n.popsection\n"
      : "+D"(destination), "+S"(source), "+c"(left)
      :
      : "memory"
      : fault);
  asm volatile("");  // see load.h
  return true;
fault:
  return false;
}

}  // namespace vitrine::memory
