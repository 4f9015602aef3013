#include "vitrine/kernel/page_array.h"

#include <array>
#include <cstring>

namespace vitrine::kernel {
namespace {

constexpr std::uint64_t kMaxEntry = 1024;  // struct page is 64 bytes; more than this is none

}  // namespace

base::Result<PageArray> find_page_array(const Kernel& kernel, memory::VirtualMemory& memory) {
  const auto size = kernel.types.size_of("page");
  if (!size || *size == 0 || *size > kMaxEntry)
    return base::fail(base::Code::unsupported,
                      "the guest's kernel does not tell the size of struct page");
  // The variable exists where the kernel randomises the place; otherwise it is fixed
  // (Documentation/arch/x86/x86_64/mm.rst).
  PageArray array{
      base::GuestVirtual(kernel.space.format == &paging::x86_64_five_level ? 0xffd4'0000'0000'0000
                                                                           : 0xffff'ea00'0000'0000),
      *size};
  const auto variable = kernel.symbols.find("vmemmap_base");
  if (!variable) return array;
  std::array<std::byte, 8> bytes{};
  if (auto read = memory.read(*variable, bytes); !read) return base::fail(read.error());
  std::memcpy(&array.start.value, bytes.data(), bytes.size());
  return array;
}

}  // namespace vitrine::kernel
