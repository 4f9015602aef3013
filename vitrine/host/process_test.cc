#include "vitrine/host/process.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "vitrine/host/testing/fake_proc.h"

namespace vitrine::host {
namespace {

using ::testing::ElementsAre;
using testing::FakeProc;

TEST(ProcessStat, CountsFieldsFromTheLastParenthesis) {
  FakeProc proc;
  proc.process(12, "a) S 1 (b) 9 9", "x", "");
  const auto stat = process_stat(12, proc.root());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->comm, "a) S 1 (b) 9 9");
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->identity, (ProcessIdentity{12, 7777}));
}

TEST(ProcessStat, TellsNoProcessFromAMalformedLine) {
  FakeProc proc;
  for (const char* line : {"", "12", "12 (x", "12 (x)", "12 (x) S 1 2", "12 )x( S"}) {
    proc.write("12/stat", line);
    const auto stat = process_stat(12, proc.root());
    ASSERT_FALSE(stat) << line;
    EXPECT_EQ(stat.error().code, base::Code::inconsistent) << line;
  }
  EXPECT_EQ(process_stat(13, proc.root()).error().code, base::Code::gone);
}

TEST(Alive, TakesStartTimeAndStateIntoAccount) {
  FakeProc proc;
  proc.process(12, "x", "x", "");
  proc.process(13, "x", "", "", 'Z');
  EXPECT_TRUE(alive({12, 7777}, proc.root()));
  EXPECT_FALSE(alive({12, 7776}, proc.root()));
  EXPECT_FALSE(alive({13, 7777}, proc.root()));
  EXPECT_FALSE(alive({14, 7777}, proc.root()));
}

TEST(Arguments, KeepsEmptyOnes) {
  FakeProc proc;
  proc.process(12, "x", "qemu||-m|1G", "");
  EXPECT_THAT(*arguments(12, proc.root()), ElementsAre("qemu", "", "-m", "1G"));
  proc.process(13, "x", "", "");
  EXPECT_TRUE(arguments(13, proc.root())->empty());
}

TEST(Executable, IsShownAsItWasBeforeAnUpdateReplacedIt) {
  FakeProc proc;
  proc.process(12, "x", "x", "/usr/bin/qemu-system-x86_64 (deleted)");
  EXPECT_EQ(*executable(12, proc.root()), "/usr/bin/qemu-system-x86_64");
}

TEST(Processes, ListsNumbersOnly) {
  FakeProc proc;
  for (const char* entry : {"12/stat", "3/stat", "self/stat", "1x/stat", "-4/stat", "0/stat"}) {
    proc.write(entry, "");
  }
  EXPECT_THAT(processes(proc.root()), ElementsAre(3, 12));
}

TEST(Identify, KnowsThisVeryProcess) {
  const auto self = identify(::getpid());
  ASSERT_TRUE(self);
  EXPECT_GT(self->start_time, 0U);
  EXPECT_TRUE(alive(*self));
}

TEST(ReadFile, RefusesWhatIsLargerThanItsLimit) {
  FakeProc proc;
  proc.write("large", std::string(100001, 'x'));
  EXPECT_EQ(read_file(proc.root().of("large"), 100001)->size(), 100001U);
  EXPECT_EQ(read_file(proc.root().of("large"), 100000).error().code, base::Code::unsupported);
}

}  // namespace
}  // namespace vitrine::host
