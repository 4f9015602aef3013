#include "vitrine/techniques/stream_drain.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace vitrine::techniques {
namespace {

using namespace std::chrono_literals;

ssize_t put(int descriptor, const std::string& text) {
  return ::write(descriptor, text.data(), text.size());
}

TEST(StreamDrain, TakesAllThatIsWrittenUntilThePipeIsClosed) {
  std::string taken;
  auto drain = StreamDrain::start([&taken](std::span<const std::byte> bytes) -> base::Result<void> {
    taken.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  });
  ASSERT_TRUE(drain) << to_string(drain.error());
  const std::string text(300'000, 'x');
  for (int i = 0; i < 10; ++i) ASSERT_EQ(put((*drain)->writer(), text), 300'000);
  (*drain)->close_writer();
  const auto finished = (*drain)->finish(5s);
  ASSERT_TRUE(finished) << to_string(finished.error());
  EXPECT_TRUE((*drain)->ended());
  EXPECT_EQ(taken.size(), 3'000'000U);
  EXPECT_EQ((*drain)->bytes(), 3'000'000U);
}

TEST(StreamDrain, AFailureOfTheConsumerEndsTheWriterToo) {
  ASSERT_NE(signal(SIGPIPE, SIG_IGN), SIG_ERR);
  auto drain = StreamDrain::start([](std::span<const std::byte>) -> base::Result<void> {
    return base::fail(base::Code::unreadable, "the disk is full");
  });
  ASSERT_TRUE(drain);
  ASSERT_EQ(put((*drain)->writer(), "x"), 1);
  const auto finished = (*drain)->finish(5s);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().message, "the disk is full");
  EXPECT_EQ((*drain)->error()->message, "the disk is full");
  EXPECT_EQ(put((*drain)->writer(), "x"), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST(StreamDrain, AWriterThatStopsIsNotWaitedForForever) {
  auto drain =
      StreamDrain::start([](std::span<const std::byte>) -> base::Result<void> { return {}; });
  ASSERT_TRUE(drain);
  const auto finished = (*drain)->finish(20ms);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, base::Code::timeout);
  EXPECT_FALSE((*drain)->ended());
  EXPECT_FALSE((*drain)->error());
}

TEST(StreamDrain, ASpoolIsWrittenWhetherItIsReadOrNot) {
  std::string taken;
  auto drain = StreamDrain::start_spooled(
      8 << 20, getpid(), [&taken](std::span<const std::byte> bytes) -> base::Result<void> {
        taken.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        if (taken.size() > 1'000'000) return base::fail(base::Code::unreadable, "enough");
        return {};
      });
  ASSERT_TRUE(drain) << to_string(drain.error());
  ASSERT_EQ(put((*drain)->writer(), "begin"), 5);
  EXPECT_EQ((*drain)->finish(20ms).error().code, base::Code::timeout);
  EXPECT_EQ((*drain)->bytes(), 5U);
  const std::string text(700'000, 'x');
  for (int i = 0; i < 3; ++i) ASSERT_EQ(put((*drain)->writer(), text), 700'000);
  (*drain)->close_writer();
  EXPECT_EQ((*drain)->finish(5s).error().message, "enough");
}

TEST(StreamDrain, ASpoolEndsOnceAllIsWrittenAndTaken) {
  std::size_t taken = 0;
  auto drain = StreamDrain::start_spooled(
      8 << 20, getpid(), [&taken](std::span<const std::byte> bytes) -> base::Result<void> {
        taken += bytes.size();
        return {};
      });
  ASSERT_TRUE(drain);
  const std::string text(3'000'000, 'x');
  ASSERT_EQ(put((*drain)->writer(), text), 3'000'000);
  (*drain)->close_writer();
  ASSERT_TRUE((*drain)->finish(5s));
  EXPECT_EQ(taken, 3'000'000U);
}

TEST(StreamDrain, ASpoolEndsWithItsWriter) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  auto drain = StreamDrain::start_spooled(
      8 << 20, child, [](std::span<const std::byte>) -> base::Result<void> { return {}; });
  ASSERT_TRUE(drain);
  EXPECT_EQ((*drain)->finish(20ms).error().code, base::Code::timeout);
  kill(child, SIGKILL);
  EXPECT_TRUE((*drain)->finish(5s));
  waitpid(child, nullptr, 0);
}

TEST(StreamDrain, ASpoolDemandsItsSpaceBefore) {
  const auto drain = StreamDrain::start_spooled(
      std::uint64_t{1} << 60, getpid(),
      [](std::span<const std::byte>) -> base::Result<void> { return {}; });
  ASSERT_FALSE(drain);
  EXPECT_NE(drain.error().remedy.find("TMPDIR"), std::string::npos);
}

TEST(StreamDrain, AVmmOfThisUserMayReopenItAnyway) {
  auto drain =
      StreamDrain::start([](std::span<const std::byte>) -> base::Result<void> { return {}; });
  ASSERT_TRUE(drain);
  EXPECT_TRUE(allow_reopening((*drain)->writer(), getpid()));
  EXPECT_EQ(allow_reopening((*drain)->writer(), 0x7fff'fff0).error().code, base::Code::gone);
}

}  // namespace
}  // namespace vitrine::techniques
