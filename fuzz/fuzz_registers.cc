// `info registers -a`, as a VMM may forge it. What is found comes back when it is written as QEMU
// writes it.
#include <fmt/format.h>

#include "fuzz/fuzzer.h"
#include "fuzz/require.h"
#include "vitrine/vmm/registers.h"

VITRINE_FUZZER(registers) {
  using vitrine::fuzz::require;
  const auto found = vitrine::vmm::parse_registers(vitrine::fuzz::text_of(data, size));
  require(found.size() <= size / std::string_view("CR0=0 CR3=0 CR4=0").size());
  std::string written;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& r = found[i];
    written += fmt::format(
        "\nCPU#{}\nRIP={:016x} RFL=00000246\nIDT=     {:016x} 00000fff\n"
        "CR0={:08x} CR2=0000000000000000 CR3={:016x} CR4={:08x}\nEFER={:016x}\n",
        i, r.rip, r.idt_base, r.cr0, r.cr3, r.cr4, r.efer);
  }
  const auto again = vitrine::vmm::parse_registers(written);
  require(again.size() == found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto &a = found[i], &b = again[i];
    require(a.cr0 == b.cr0 && a.cr3 == b.cr3 && a.cr4 == b.cr4 && a.efer == b.efer);
    require(a.idt_base == b.idt_base && a.rip == b.rip);
  }
  return 0;
}
