#include "vitrine/host/vm_flags.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace vitrine::host {
namespace {

TEST(VmFlags, AreThoseOfTheirMapping) {
  const auto list = parse_vm_flags(
      "7f00-7f10 rw-p 00000000 00:00 0 \nSize: 4 kB\nVmFlags: rd wr dc ac \n"
      "7f10-7f20 r--p 00000000 00:00 0   [heap]\nSize: 4 kB\nVmFlags: rd \n");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].start.value, 0x7f00U);
  EXPECT_EQ((*list)[0].end.value, 0x7f10U);
  EXPECT_TRUE((*list)[0].has("dc"));
  EXPECT_TRUE((*list)[0].has("ac"));
  EXPECT_FALSE((*list)[0].has("cd"));
  EXPECT_FALSE((*list)[1].has("dc"));
}

TEST(VmFlags, MalformedHeadersAreInconsistent) {
  for (const char* text : {"7f00 rw-p\n", "7f00-\n", "7f10-7f00 rw-p\n", "-7f10 rw\n", "x\n"})
    EXPECT_FALSE(parse_vm_flags(text)) << text;
}

TEST(VmFlags, OfAProcessThatMarkedItsMemory) {
  constexpr std::size_t kLength = 1 << 20;
  void* memory = mmap(nullptr, kLength, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const auto marked = [memory] {
    const auto start = base::HostVirtual(reinterpret_cast<std::uint64_t>(memory));
    const auto list = vm_flags(getpid());
    for (const FlaggedMapping& mapping : list.value())
      if (mapping.start <= start && start < mapping.end) return mapping.has("dc");
    return false;
  };
  EXPECT_FALSE(marked());
  madvise(memory, kLength, MADV_DONTFORK);
  EXPECT_TRUE(marked());
  munmap(memory, kLength);
}

}  // namespace
}  // namespace vitrine::host
