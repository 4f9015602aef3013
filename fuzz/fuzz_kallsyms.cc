// kallsyms as a guest or a forged cache may hold it. Input: what a small guest has mapped from
// 0xffffffff81000000 on, the tables at fixed places in it:
//   0x000 num_syms, 0x008 relative_base, 0x010 token index, 0x210 offsets, 0x410 token table,
//   0x810 names.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "fuzz/fuzzer.h"
#include "vitrine/kernel/symbols.h"

namespace {

using vitrine::base::Code;
using vitrine::base::GuestVirtual;

constexpr GuestVirtual start{0xffffffff81000000};
constexpr std::size_t page = 4096;

class Input : public vitrine::memory::VirtualMemory {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(std::as_bytes(bytes)) {}

  // Zero after the input, up to the end of its last page.
  vitrine::base::Result<void> read(GuestVirtual address, std::span<std::byte> into) override {
    const std::uint64_t at = address - start;
    const std::uint64_t mapped = (bytes_.size() + page - 1) / page * page;
    if (at > mapped || into.size() > mapped - at) {
      return vitrine::base::fail(Code::absent, "not mapped");
    }
    std::memset(into.data(), 0, into.size());
    if (at < bytes_.size()) {
      std::memcpy(into.data(), bytes_.data() + at, std::min(into.size(), bytes_.size() - at));
    }
    return {};
  }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace

VITRINE_FUZZER(kallsyms) {
  using namespace vitrine::kernel;
  static const auto info = Vmcoreinfo::parse(
      "OSRELEASE=6\nSYMBOL(_stext)=ffffffff81000000\nSYMBOL(kallsyms_num_syms)=ffffffff81000000\n"
      "SYMBOL(kallsyms_relative_base)=ffffffff81000008\n"
      "SYMBOL(kallsyms_token_index)=ffffffff81000010\nSYMBOL(kallsyms_offsets)=ffffffff81000210\n"
      "SYMBOL(kallsyms_token_table)=ffffffff81000410\nSYMBOL(kallsyms_names)=ffffffff81000810\n");
  Input memory({data, size});
  const auto symbols = Symbols::read(memory, *info);
  if (!symbols) return 0;
  // What was accepted must hold together.
  if (symbols->find("_stext") != start) std::abort();
  for (std::uint64_t at = 0; at < 0x400; at += 0x10) {
    const auto hit = symbols->containing(start + at);
    if (hit && hit->address > start + at) std::abort();
    const auto next = symbols->next_address_after(start + at);
    if (next && *next <= start + at) std::abort();
  }
  (void)symbols->find("init_task");
  if (!Symbols::decode(symbols->raw())) std::abort();
  return 0;
}
