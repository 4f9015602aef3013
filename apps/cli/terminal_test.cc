#include "apps/cli/terminal.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "vitrine/base/file_descriptor.h"

namespace vitrine::cli {
namespace {

class TerminalTest : public testing::Test {
 protected:
  void SetUp() override {
    const winsize size{24, 100, 0, 0};
    int master = -1;
    int slave = -1;
    ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, &size), 0);
    master_ = base::FileDescriptor(master);
    slave_ = base::FileDescriptor(slave);
    ::setenv("TERM", "xterm", 1);
    for (const char* name : {"COLUMNS", "LINES", "NO_COLOR"}) ::unsetenv(name);
  }

  base::FileDescriptor master_;
  base::FileDescriptor slave_;
};

TEST_F(TerminalTest, AsksTheKernelForTheSize) {
  const Terminal terminal = inspect(slave_.get());
  EXPECT_TRUE(terminal.interactive && terminal.cursor && terminal.colour);
  EXPECT_EQ(terminal.width, 100u);
  EXPECT_EQ(terminal.height, 24u);
}

TEST_F(TerminalTest, FollowsTheEnvironment) {
  ::setenv("COLUMNS", "60", 1);
  ::setenv("LINES", "nonsense", 1);
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(inspect(slave_.get()).width, 60u);
  EXPECT_EQ(inspect(slave_.get()).height, 24u);
  EXPECT_FALSE(inspect(slave_.get()).colour);
  EXPECT_TRUE(inspect(slave_.get()).cursor);
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(inspect(slave_.get()).cursor);
}

TEST_F(TerminalTest, APipeHasNoWidth) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const base::FileDescriptor in(ends[0]);
  const base::FileDescriptor out(ends[1]);
  ::setenv("COLUMNS", "60", 1);
  const Terminal terminal = inspect(out.get());
  EXPECT_FALSE(terminal.interactive || terminal.cursor || terminal.colour);
  EXPECT_EQ(terminal.width, 0u);
  ASSERT_TRUE(write_fully(out.get(), "all of it"));
  char got[16] = {};
  EXPECT_EQ(::read(in.get(), got, sizeof got), 9);
}

TEST_F(TerminalTest, ProgressVanishes) {
  ::setenv("COLUMNS", "10", 1);
  { Progress(slave_.get(), inspect(slave_.get())).show("a long line\n of progress"); }
  const std::string expected = "\ra long li…\x1b[K\r\x1b[K";
  // The terminal may pass it on in pieces.
  std::string got;
  pollfd ready{master_.get(), POLLIN, 0};
  while (got.size() < expected.size() && ::poll(&ready, 1, 5000) > 0) {
    char piece[64];
    const auto length = ::read(master_.get(), piece, sizeof piece);
    if (length <= 0) break;
    got.append(piece, static_cast<std::size_t>(length));
  }
  EXPECT_EQ(got, expected);
}

TEST(Write, NamesTheCause) {
  const auto written = write_fully(-1, "x");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("could not be written: Bad file"), std::string::npos);
}

TEST(Frame, RedrawsWithoutScrolling) {
  const Terminal terminal{.interactive = true, .cursor = true, .height = 4};
  EXPECT_EQ(next_frame("a\nb\nc\n", terminal), "\x1b[Ha\x1b[K\nb\x1b[K\nc\x1b[K\n\x1b[J");
  EXPECT_EQ(next_frame("a\nb\nc\nd\n", terminal),
            "\x1b[Ha\x1b[K\nb\x1b[K\n… 2 more lines\x1b[K\n\x1b[J");
  EXPECT_EQ(next_frame("", terminal), "\x1b[H\x1b[J");
  // The only line there is must not be ended.
  EXPECT_EQ(next_frame("a\n", Terminal{.cursor = true, .height = 1}),
            "\x1b[H… 1 more lines\x1b[K\x1b[J");
}

TEST(Frame, IsAppendedWithoutACursor) {
  EXPECT_EQ(next_frame("a\nb\n", Terminal{.height = 1}), "a\nb\n");
}

}  // namespace
}  // namespace vitrine::cli
