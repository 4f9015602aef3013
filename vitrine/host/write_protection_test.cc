#include "vitrine/host/write_protection.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <thread>

#include "vitrine/base/address.h"

namespace vitrine::host {
namespace {

using base::kPage;

// A process that protects a page of its own and then writes to it: it hangs there, as a guest
// would. Ends with status 0 once the write succeeds, with 2 where the host offers no such
// protection.
[[noreturn]] void hang_on_a_protected_page() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  auto* page = static_cast<volatile char*>(
      mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  *page = 1;
  const auto fault = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
  uffdio_api api{};
  api.api = UFFD_API;
  api.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP;
  if (fault < 0 || ioctl(fault, UFFDIO_API, &api) != 0) _exit(2);
  const uffdio_range range{reinterpret_cast<std::uintptr_t>(page), kPage};
  uffdio_register wanted{};
  wanted.range = range;
  wanted.mode = UFFDIO_REGISTER_MODE_WP;
  if (ioctl(fault, UFFDIO_REGISTER, &wanted) != 0) _exit(2);
  uffdio_writeprotect protect{};
  protect.range = range;
  protect.mode = UFFDIO_WRITEPROTECT_MODE_WP;
  if (ioctl(fault, UFFDIO_WRITEPROTECT, &protect) != 0) _exit(2);
  *page = 2;
  _exit(0);
}

TEST(WriteProtection, ReleasesAProcessThatHangsOnItsOwn) {
  const pid_t child = fork();
  if (child == 0) hang_on_a_protected_page();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  int status = 0;
  if (waitpid(child, &status, WNOHANG) == child) {
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 2) << "it does not hang";
    GTEST_SKIP() << "SKIPPED: this host has no userfaultfd with write protection";
  }
  const auto released = release_write_protection(child);
  EXPECT_TRUE(released) << to_string(released.error());
  bool ended = false;
  for (int i = 0; i < 200 && !ended; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ended = waitpid(child, &status, WNOHANG) == child;
  }
  if (!ended) {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  EXPECT_TRUE(ended) << "it still hangs";
}

TEST(WriteProtection, HasNothingToDoWhereNothingIsProtected) {
  EXPECT_TRUE(release_write_protection(getpid()));
}

}  // namespace
}  // namespace vitrine::host
