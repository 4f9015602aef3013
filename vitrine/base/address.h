// Addresses of the address spaces a VM involves, each with a type of its own so that they cannot be
// mixed: a guest-physical address is no host address, and neither is a guest-virtual one.
//
// Thread contract: plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace vitrine::base {

// An address in the space that `Space` names, in bytes.
template <class Space>
struct Address {
  std::uint64_t value = 0;

  constexpr Address() = default;
  constexpr explicit Address(std::uint64_t bytes) : value(bytes) {}

  friend constexpr auto operator<=>(Address, Address) = default;
  friend constexpr Address operator+(Address a, std::uint64_t bytes) {
    return Address(a.value + bytes);
  }
  friend constexpr Address operator-(Address a, std::uint64_t bytes) {
    return Address(a.value - bytes);
  }
  // Distance in bytes; wraps where b is above a.
  friend constexpr std::uint64_t operator-(Address a, Address b) { return a.value - b.value; }
};

using GuestPhysical = Address<struct GuestPhysicalSpace>;
using GuestVirtual = Address<struct GuestVirtualSpace>;
// An address in the VMM's own process.
using HostVirtual = Address<struct HostVirtualSpace>;

// The unit in which memory is given, found to be empty, saved and compared, whatever the granule of
// the guest's own page tables, in bytes.
inline constexpr std::uint64_t kPage = 4096;

// "0x" and lower-case digits, as addresses are written in messages and in JSON.
std::string to_hex(std::uint64_t value);

template <class Space>
std::string to_string(Address<Space> address) {
  return to_hex(address.value);
}

}  // namespace vitrine::base
