#include "tests/synthetic/load_hook.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace vitrine::synthetic {
namespace {

constexpr greg_t trap_flag = 0x100;  // of the flags register: trap after one instruction

LoadHook* current = nullptr;
struct sigaction previous_fault;
struct sigaction previous_trap;

greg_t& flags_of(void* context) {
  return static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL];
}

void on_fault(int /*number*/, siginfo_t* info, void* context) {
  if (current != nullptr && current->open(info->si_addr)) {
    flags_of(context) |= trap_flag;
    return;
  }
  // Not a load from the windows: let it fault again, as if nobody had listened.
  sigaction(SIGSEGV, &previous_fault, nullptr);
}

void on_trap(int /*number*/, siginfo_t* /*info*/, void* context) {
  flags_of(context) &= ~trap_flag;
  if (current != nullptr) current->close();
}

struct sigaction action_of(void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  return action;
}

bool protect(const MappedMemory& memory, int protection) {
  bool done = true;
  for (const memory::Window& window : memory.windows())
    done &= mprotect(const_cast<std::byte*>(window.bytes), window.range.size, protection) == 0;
  return done;
}

}  // namespace

LoadHook::LoadHook(const MappedMemory& memory, std::function<void(std::uint64_t)> before_load)
    : memory_(memory), before_load_(std::move(before_load)), remapped_(memory.remapped()) {
  if (!protect(memory_, PROT_NONE))
    throw std::system_error(errno, std::generic_category(), "mprotect");
  current = this;
  const struct sigaction fault = action_of(on_fault);
  const struct sigaction trap = action_of(on_trap);
  sigaction(SIGSEGV, &fault, &previous_fault);
  sigaction(SIGTRAP, &trap, &previous_trap);
}

LoadHook::~LoadHook() {
  protect(memory_, PROT_READ);
  sigaction(SIGSEGV, &previous_fault, nullptr);
  sigaction(SIGTRAP, &previous_trap, nullptr);
  current = nullptr;
}

bool LoadHook::open(const void* address) {
  const auto* at = static_cast<const std::byte*>(address);
  for (const memory::Window& window : memory_.windows()) {
    if (at < window.bytes || at >= window.bytes + window.range.size) continue;
    if (open_pages_.empty()) before_load_(loads_++);
    const std::uint64_t page = static_cast<std::uint64_t>(at - window.bytes) / page_size;
    open_pages_.push_back(const_cast<std::byte*>(window.bytes) + page * page_size);
    return mprotect(open_pages_.back(), page_size, PROT_READ) == 0;
  }
  return false;
}

void LoadHook::close() {
  for (std::byte* page : open_pages_) mprotect(page, page_size, PROT_NONE);
  open_pages_.clear();
  // What the hook populated or punched is mapped anew, and so open.
  if (std::exchange(remapped_, memory_.remapped()) != memory_.remapped())
    protect(memory_, PROT_NONE);
}

}  // namespace vitrine::synthetic
