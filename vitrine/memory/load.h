// The load primitive: how every byte of a guest is fetched.
//
// Guest memory changes while it is read and is hostile, so each value is fetched exactly once: one
// machine instruction that the compiler can neither merge with another, repeat nor tear. Where the
// memory is a mapping of the VMM's RAM, a page may be a hole or be taken away under us; the
// instruction then faults, and the load reports failure instead of ending the process. A section
// of (instruction, recovery) pairs, as the Linux kernel's own exception table, makes that free:
// nothing is checked on the way.
//
// REQUIRES: FaultRecovery is installed before a load may fault; without it a fault is fatal.
//
// Thread contract: any thread. No side effect on the guest: see map for how holes stay holes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace vitrine::memory {

// Installs, once per process, the SIGBUS handler that makes faulting loads fail. A SIGBUS raised
// by anything but a load goes to the handler that was installed before.
class FaultRecovery {
 public:
  static void install();
};

// Types a single load instruction can fetch whole.
template <class T>
concept Loadable = std::is_trivially_copyable_v<T> &&
    (sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8);

namespace detail {

// "volatile" and the empty statement after it work round two defects of GCC up to 12 and 13: it
// deletes a goto statement whose outputs are unused (bug 103979) and mistakes where its outputs
// live (bug 113921).
// "?" puts the table entry into the section group of the code it belongs to, so that a linker that
// drops a duplicate inline function drops its entries too.
#define VITRINE_FAULTING_LOAD(instruction)                                        \
  asm volatile goto("1: " instruction                                             \
                    "\n.pushsection vitrine_fault_table,\"a?\",@progbits\n"       \
                    ".balign 4\n.long 1b - .\n.long %l[fault] - .\n.popsection\n" \
                    : [out] "=r"(raw)                                             \
                    : [in] "m"(*in)                                               \
                    :                                                             \
                    : fault);                                                     \
  asm volatile("")

[[gnu::always_inline]] inline bool load_raw(const std::uint8_t* in, std::uint8_t& out) {
  std::uint8_t raw;
  VITRINE_FAULTING_LOAD("movb %[in], %[out]");
  out = raw;
  return true;
fault:
  return false;
}

[[gnu::always_inline]] inline bool load_raw(const std::uint16_t* in, std::uint16_t& out) {
  std::uint16_t raw;
  VITRINE_FAULTING_LOAD("movw %[in], %[out]");
  out = raw;
  return true;
fault:
  return false;
}

[[gnu::always_inline]] inline bool load_raw(const std::uint32_t* in, std::uint32_t& out) {
  std::uint32_t raw;
  VITRINE_FAULTING_LOAD("movl %[in], %[out]");
  out = raw;
  return true;
fault:
  return false;
}

[[gnu::always_inline]] inline bool load_raw(const std::uint64_t* in, std::uint64_t& out) {
  std::uint64_t raw;
  VITRINE_FAULTING_LOAD("movq %[in], %[out]");
  out = raw;
  return true;
fault:
  return false;
}

#undef VITRINE_FAULTING_LOAD

template <std::size_t Size>
using Unsigned = std::conditional_t<
    Size == 1, std::uint8_t,
    std::conditional_t<Size == 2, std::uint16_t,
                       std::conditional_t<Size == 4, std::uint32_t, std::uint64_t>>>;

}  // namespace detail

// Fetches one value of guest byte order (little-endian, as the host) from `from`, which need not be
// aligned; false if the memory faulted, and `to` is unchanged.
template <Loadable T>
[[gnu::always_inline]] inline bool load(const std::byte* from, T& to) {
  using Raw = detail::Unsigned<sizeof(T)>;
  Raw raw{};
  if (!detail::load_raw(reinterpret_cast<const Raw*>(from), raw)) return false;
  std::memcpy(&to, &raw, sizeof(T));
  return true;
}

// Copies bytes, each fetched once, not atomically as a whole; false if any faulted, and what `to`
// holds is then unspecified.
bool load_bytes(const std::byte* from, std::span<std::byte> to);

}  // namespace vitrine::memory
