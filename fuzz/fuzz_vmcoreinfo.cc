// VMCOREINFO as a guest may forge it: the first byte chooses between a note and bare text.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "fuzz/fuzzer.h"
#include "vitrine/kernel/vmcoreinfo.h"

VITRINE_FUZZER(vmcoreinfo) {
  using vitrine::kernel::Vmcoreinfo;
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  const auto info = data[0] % 2 == 0
                        ? Vmcoreinfo::parse_note(bytes)
                        : Vmcoreinfo::parse({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (!info) return 0;
  (void)info->release();
  (void)info->build_id();
  (void)info->page_size();
  (void)info->kernel_offset();
  (void)info->crash_time();
  (void)info->symbol("_stext");
  (void)info->offset("page.flags");
  (void)info->size("page");
  (void)info->length("zone.free_area");
  (void)info->number("phys_base");
  return 0;
}
