// A process with regions of memory of every kind, which then sleeps within nested functions.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "guest_tool.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define PAGE 4096UL

static unsigned char* map(size_t pages, int protection, int flags, int file) {
  void* at = mmap(NULL, pages * PAGE, protection, flags, file, 0);
  if (at == MAP_FAILED) fail("mmap");
  return at;
}

static unsigned char* map_anonymous(size_t pages, int kind) {
  return map(pages, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1);
}

static void map_files(void) {
  int program = open("/bin/guest_tool", O_RDONLY);
  unsigned char* code = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE, program, 2 * PAGE);
  if (code == MAP_FAILED || code[PAGE] + code[0] < 0) fail("/bin/guest_tool");
  int shared = open("/tmp/shared\nfile", O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (shared < 0 || ftruncate(shared, 3 * PAGE) != 0) fail("/tmp/shared");
  map(3, PROT_READ | PROT_WRITE, MAP_SHARED, shared)[0] = 1;
  map(3, PROT_READ | PROT_WRITE, MAP_PRIVATE, shared)[PAGE] = 1;
  int removed = open("/tmp/removed", O_RDWR | O_CREAT, 0600);
  if (removed < 0 || ftruncate(removed, PAGE) != 0) fail("/tmp/removed");
  map(1, PROT_READ, MAP_SHARED, removed);
  unlink("/tmp/removed");
  int nameless = memfd_create("nameless", 0);
  if (nameless < 0 || ftruncate(nameless, 2 * PAGE) != 0) fail("memfd_create");
  map(2, PROT_READ | PROT_WRITE, MAP_SHARED, nameless)[PAGE] = 1;
  int zero = open("/dev/zero", O_RDWR);
  map(1, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero)[0] = 1;
}

static void map_memory(void) {
  unsigned char* partly = map_anonymous(16, MAP_PRIVATE);
  for (size_t page = 0; page < 16; page += 3) partly[page * PAGE] = 1;
  map(1024 * 1024, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  unsigned char* locked_up = map_anonymous(4, MAP_PRIVATE);
  memset(locked_up, 1, 4 * PAGE);
  mprotect(locked_up, 3 * PAGE, PROT_NONE);
  map_anonymous(8, MAP_SHARED)[5 * PAGE] = 1;
  volatile unsigned char* zeros = map_anonymous(4, MAP_PRIVATE);
  if (zeros[PAGE] != 0) fail("zeros");
  unsigned char* named = map_anonymous(2, MAP_PRIVATE);
  prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, named, 2 * PAGE, "a pool");  // not in every kernel
  map_anonymous(2, MAP_PRIVATE | MAP_GROWSDOWN)[PAGE] = 1;
  unsigned char* huge = map_anonymous(2048, MAP_PRIVATE);
  madvise(huge, 2048 * PAGE, MADV_HUGEPAGE);
  memset(huge, 1, 1200 * PAGE);
  unsigned char* pool = mmap(NULL, 4UL << 20, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  if (pool != MAP_FAILED) pool[0] = 1;  // where the guest has set some aside
  // Where there is swap, these are on it.
  unsigned char* out = map_anonymous(32, MAP_PRIVATE);
  for (size_t page = 0; page < 32; ++page) memset(out + page * PAGE, (int)page, PAGE);
  madvise(out, 24 * PAGE, MADV_PAGEOUT);
  // So many that their tree has several levels.
  unsigned char* many = map_anonymous(600, MAP_PRIVATE);
  for (size_t page = 0; page < 600; page += 2) mprotect(many + page * PAGE, PAGE, PROT_READ);
  memset(sbrk(8 * PAGE), 1, 3 * PAGE);
}

// What a debugger is to find: a text, and where the functions are that the process sleeps in.
static volatile char pattern[64] = "vitrine pattern 0123456789 abcdef";

__attribute__((noinline)) static int innermost(int ready, int depth) {
  char message[64];
  int out = open("/tmp/regions", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  int length = snprintf(message, sizeof message, "%d %p\n", getpid(), (void*)pattern);
  if (out < 0 || write(out, message, (size_t)length) != length) fail("/tmp/regions");
  close(out);
  if (write(ready, "", 1) != 1) fail("write");
  close(ready);
  for (;;) pause();
  return depth;
}

__attribute__((noinline)) static int middle(int ready, int depth) {
  return innermost(ready, depth + 1) + 1;
}

int regions(void) {
  int ready;
  if (start(&ready) != 0) return 0;
  prctl(PR_SET_NAME, "regions");
  map_files();
  map_memory();
  return middle(ready, 0) + 1;
}
