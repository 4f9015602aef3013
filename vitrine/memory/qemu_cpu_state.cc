#include "vitrine/memory/qemu_cpu_state.h"

#include <cstring>

namespace vitrine::memory {
namespace {

constexpr std::size_t kStateBytes = 432;
constexpr std::uint32_t kStateVersion = 1;
constexpr std::size_t kRip = 136;
constexpr std::size_t kIdtBase = 384;  // the tenth of ten segments of 24 bytes from 152 on
constexpr std::size_t kCr0 = 392;
constexpr std::size_t kCr3 = kCr0 + 3 * 8;
constexpr std::size_t kCr4 = kCr0 + 4 * 8;
constexpr std::uint64_t kLongMode = 1 << 8 | 1 << 10;  // EFER.LME, EFER.LMA

}  // namespace

std::optional<X86Registers> parse_qemu_cpu_state(std::span<const std::byte> content) {
  if (content.size() < kStateBytes) return std::nullopt;
  const auto take = [content](std::size_t offset, auto& to) {
    std::memcpy(&to, &content[offset], sizeof to);
  };
  std::uint32_t version = 0;
  take(0, version);
  if (version != kStateVersion) return std::nullopt;
  X86Registers registers;
  take(kRip, registers.rip);
  take(kIdtBase, registers.idt_base);
  take(kCr0, registers.cr0);
  take(kCr3, registers.cr3);
  take(kCr4, registers.cr4);
  registers.efer = kLongMode;
  return registers;
}

}  // namespace vitrine::memory
