#include "vitrine/host/mappings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "vitrine/host/testing/fake_proc.h"

namespace vitrine::host {
namespace {

TEST(ParseMappings, ReadsEveryField) {
  const auto list = parse_mappings(
      "7f00-7fff rw-s 0001000 fe:1b 37                         /memfd:a b (deleted)\n"
      "8000-9000 r-xp 00000000 00:00 0 \n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 3U);
  const Mapping& first = list->front();
  EXPECT_EQ(first.start.value, 0x7f00U);
  EXPECT_EQ(first.size(), 0xffU);
  EXPECT_TRUE(first.read && first.write && first.shared && !first.exec);
  EXPECT_EQ(first.offset, 0x1000U);
  EXPECT_EQ(first.dev_major, 0xfeU);
  EXPECT_EQ(first.dev_minor, 0x1bU);
  EXPECT_EQ(first.inode, 37U);
  EXPECT_EQ(first.path, "/memfd:a b (deleted)");
  EXPECT_EQ((*list)[1].path, "");
  EXPECT_FALSE((*list)[2].read);
}

TEST(ParseMappings, RestoresLineFeedsInPaths) {
  EXPECT_EQ(parse_mappings("1000-2000 r--p 0 00:00 1 /a\\012b\\0").value()[0].path, "/a\nb\\0");
}

TEST(ParseMappings, RefusesWhatIsMalformedOrOutOfOrder) {
  for (const char* text :
       {"x\n", "1000-2000\n", "1000-2000 rw\n", "2000-1000 rw-p 0 00:00 0\n", "\n",
        "1000-3000 rw-p 0 00:00 0\n2000-4000 rw-p 0 00:00 0\n", "1000-2000 rw-p 0 00:00 x\n",
        "10000000000000000-20000000000000000 rw-p 0 00:00 0\n"}) {
    const auto list = parse_mappings(text);
    ASSERT_FALSE(list) << text;
    EXPECT_EQ(list.error().code, base::Code::inconsistent) << text;
  }
}

TEST(Mappings, OfThisProcessContainThisVariable) {
  const int here = 0;
  const base::HostVirtual at(reinterpret_cast<std::uintptr_t>(&here));
  const auto list = mappings(::getpid());
  ASSERT_TRUE(list);
  bool found = false;
  for (const Mapping& mapping : *list) {
    found = found || (mapping.start <= at && at < mapping.end && mapping.write);
  }
  EXPECT_TRUE(found);
}

TEST(Mappings, SayThatAProcessIsGone) {
  testing::FakeProc proc;
  EXPECT_EQ(mappings(12, proc.root()).error().code, base::Code::gone);
}

}  // namespace
}  // namespace vitrine::host
