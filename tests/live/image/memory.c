// What a test wants done to the guest's memory: a process's own pages swapped out, and the kernel
// replaced by another without a reset.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "guest_tool.h"

#define PAGE 4096UL

// The bounds of a process's arguments: fields 48 and 49 of /proc/PID/stat.
static void find_arguments(const char* pid, unsigned long* start, unsigned long* end) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%s/stat", pid);
  int file = open(path, O_RDONLY);
  ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (size <= 0) fail(path);
  text[size] = '\0';
  char* at = strrchr(text, ')');  // field 2 ends here, and is the only one that may hold spaces
  for (int field = 2; at != NULL && field < 48; ++field) at = strchr(at + 1, ' ');
  if (at == NULL || sscanf(at, "%lu %lu", start, end) != 2) fail("arguments");
  close(file);
}

static int is_swapped(const char* pid, unsigned long address) {
  char path[64];
  uint64_t entry = 0;
  snprintf(path, sizeof path, "/proc/%s/pagemap", pid);
  int file = open(path, O_RDONLY);
  if (file < 0 || pread(file, &entry, sizeof entry, (off_t)(address / PAGE * 8)) != sizeof entry)
    fail(path);
  close(file);
  return (entry >> 62 & 1) != 0;
}

int swap_out(const char* pid) {
  unsigned long start = 0, end = 0;
  find_arguments(pid, &start, &end);
  int process = (int)syscall(SYS_pidfd_open, atoi(pid), 0);
  if (process < 0) fail("pidfd_open");
  start = start / PAGE * PAGE;
  struct iovec range = {(void*)start, (end - start + PAGE - 1) / PAGE * PAGE};
  for (int attempt = 0; attempt < 50; ++attempt) {
    if (syscall(SYS_process_madvise, process, &range, 1, MADV_PAGEOUT, 0) < 0) fail("madvise");
    if (is_swapped(pid, start)) return 0;
    usleep(100000);
  }
  fprintf(stderr, "guest_tool: the arguments of %s stay in memory\n", pid);
  return 1;
}

int churn(int mebibytes, long milliseconds) {
  const size_t pages = ((size_t)mebibytes << 20) / PAGE;
  unsigned char* memory =
      mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  memset(memory, 1, pages * PAGE);
  struct timespec start, now;
  unsigned long writes = 0;
  uint64_t random = 1;
  clock_gettime(CLOCK_MONOTONIC, &start);
  do {
    for (int i = 0; i < 1000; ++i, ++writes) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      ++memory[(random >> 33) % pages * PAGE];
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
           milliseconds);
  printf("%lu\n", writes);
  return 0;
}

// Each word is written once, here and there, and none may ever be anything but what was written.
int check_memory(int mebibytes, int seconds) {
  const size_t words = ((size_t)mebibytes << 20) / sizeof(uint64_t);
  uint64_t* memory = mmap(NULL, words * sizeof(uint64_t), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  const time_t end = time(NULL) + seconds;
  unsigned long written = 0;
  for (uint64_t round = 1; time(NULL) < end; ++round) {
    size_t i = 0;
    // 1000003 is prime to the number of words, which is even: each is met once.
    for (; i < words && (i % 4096 != 0 || time(NULL) < end); ++i)
      memory[i * 1000003 % words] = round << 32 | i;
    written += i;
    for (size_t k = 0; k < i; ++k) {
      const uint64_t found = memory[k * 1000003 % words];
      if (found == (round << 32 | k)) continue;
      fprintf(stderr, "guest_tool: write %zu of round %lu is lost: %016lx\n", k,
              (unsigned long)round, (unsigned long)found);
      return 1;
    }
  }
  printf("right: %lu\n", written);
  return 0;
}

int boot_another(const char* kernel, const char* initramfs, const char* command_line) {
  int image = open(kernel, O_RDONLY);
  int archive = open(initramfs, O_RDONLY);
  if (image < 0 || archive < 0) fail("open");
  if (syscall(SYS_kexec_file_load, image, archive, strlen(command_line) + 1, command_line, 0) != 0)
    fail("kexec_file_load");
  syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
  fail("reboot");
  return 1;
}
