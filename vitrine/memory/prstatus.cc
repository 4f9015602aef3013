#include "vitrine/memory/prstatus.h"

#include <array>
#include <cstring>

namespace vitrine::memory {
namespace {

constexpr std::size_t kPrstatusBytes = 336;
constexpr std::size_t kThread = 32;      // pr_pid
constexpr std::size_t kRegisters = 112;  // pr_reg, 27 words
constexpr std::size_t kSystemCall = 15;  // orig_rax, between rdi and rip
constexpr std::uint64_t kNoSystemCall = ~std::uint64_t{0};

using Wide = std::uint64_t X86GeneralRegisters::*;
using Selector = std::uint16_t X86GeneralRegisters::*;
using R = X86GeneralRegisters;

// A place in pr_reg, by the register that stands there.
struct WidePlace {
  std::size_t index;
  Wide member;
};
struct SelectorPlace {
  std::size_t index;
  Selector member;
};

constexpr auto kWidePlaces = std::to_array<WidePlace>(
    {{0, &R::r15},  {1, &R::r14},     {2, &R::r13},  {3, &R::r12},      {4, &R::rbp},
     {5, &R::rbx},  {6, &R::r11},     {7, &R::r10},  {8, &R::r9},       {9, &R::r8},
     {10, &R::rax}, {11, &R::rcx},    {12, &R::rdx}, {13, &R::rsi},     {14, &R::rdi},
     {16, &R::rip}, {18, &R::rflags}, {19, &R::rsp}, {21, &R::fs_base}, {22, &R::gs_base}});
constexpr auto kSelectorPlaces = std::to_array<SelectorPlace>(
    {{17, &R::cs}, {20, &R::ss}, {23, &R::ds}, {24, &R::es}, {25, &R::fs}, {26, &R::gs}});

constexpr std::size_t at(std::size_t index) { return kRegisters + index * sizeof(std::uint64_t); }

}  // namespace

std::vector<std::byte> make_prstatus(const X86GeneralRegisters& registers, std::int32_t thread) {
  std::vector<std::byte> content(kPrstatusBytes);
  const auto put = [&content](std::size_t offset, auto value) {
    std::memcpy(&content[offset], &value, sizeof value);
  };
  put(kThread, thread);
  put(at(kSystemCall), kNoSystemCall);
  for (const WidePlace& place : kWidePlaces) put(at(place.index), registers.*place.member);
  for (const SelectorPlace& place : kSelectorPlaces)
    put(at(place.index), std::uint64_t{registers.*place.member});
  return content;
}

std::optional<X86GeneralRegisters> parse_prstatus(std::span<const std::byte> content) {
  if (content.size() < kPrstatusBytes) return std::nullopt;
  X86GeneralRegisters registers;
  for (const WidePlace& place : kWidePlaces)
    std::memcpy(&(registers.*place.member), &content[at(place.index)], sizeof(std::uint64_t));
  for (const SelectorPlace& place : kSelectorPlaces)
    std::memcpy(&(registers.*place.member), &content[at(place.index)], sizeof(std::uint16_t));
  return registers;
}

}  // namespace vitrine::memory
