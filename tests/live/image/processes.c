// Each function starts a process that stays, and returns in the caller once it is as asked for.
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest_tool.h"

static void stay(void) {
  for (;;) pause();
}

int start(int* ready) {
  int ends[2];
  if (pipe(ends) != 0) fail("pipe");
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    close(ends[0]);
    setsid();
    *ready = ends[1];
    return 0;
  }
  char byte;
  close(ends[1]);
  if (read(ends[0], &byte, 1) != 1) fail("the process did not start");
  return 1;
}

void report_and_stay(int ready) {
  if (write(ready, "", 1) != 1) fail("write");
  close(ready);
  stay();
}

int sleepers(int count) {
  for (int i = 0; i < count; ++i) {
    int ready;
    if (start(&ready) != 0) continue;
    char name[16];
    snprintf(name, sizeof name, "sleeper-%d", i % 10000);
    prctl(PR_SET_NAME, name);
    report_and_stay(ready);
  }
  return 0;
}

static pthread_barrier_t all_named;

static void* named_thread(void* number) {
  char name[16];
  snprintf(name, sizeof name, "worker-%d", *(int*)number % 10000);
  prctl(PR_SET_NAME, name);
  pthread_barrier_wait(&all_named);
  stay();
  return NULL;
}

int threads(int count) {
  int ready;
  if (start(&ready) != 0) return 0;
  int* numbers = calloc((size_t)count, sizeof *numbers);
  pthread_barrier_init(&all_named, NULL, (unsigned)count + 1);
  prctl(PR_SET_NAME, "many-threads");
  for (int i = 0; i < count; ++i) {
    pthread_t thread;
    numbers[i] = i;
    if (pthread_create(&thread, NULL, named_thread, &numbers[i]) != 0) fail("pthread_create");
  }
  pthread_barrier_wait(&all_named);
  report_and_stay(ready);
  return 0;
}

int zombie(void) {
  int ready;
  if (start(&ready) != 0) return 0;
  prctl(PR_SET_NAME, "zombie-parent");
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    prctl(PR_SET_NAME, "zombie");
    _exit(3);
  }
  siginfo_t info;
  waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
  report_and_stay(ready);
  return 0;
}

int user(unsigned uid, unsigned gid) {
  int ready;
  if (start(&ready) != 0) return 0;
  prctl(PR_SET_NAME, "user");
  // The real and the effective id differ, so that a reader that confuses them is found out.
  if (setgroups(0, NULL) != 0 || setresgid(gid, gid + 1, gid) != 0 ||
      setresuid(uid, uid + 1, uid) != 0)
    fail("setresuid");
  report_and_stay(ready);
  return 0;
}

int named(const char* base64) {
  int ready;
  if (start(&ready) != 0) return 0;
  size_t length;
  unsigned char* name = base64_decode(base64, &length);
  int comm = open("/proc/self/comm", O_WRONLY);
  if (comm < 0 || write(comm, name, length) != (ssize_t)length) fail("/proc/self/comm");
  close(comm);
  report_and_stay(ready);
  return 0;
}

int arguments(void) {
  int ready;
  if (start(&ready) != 0) return 0;
  // A command line of its own, longer than a page and with an empty argument.
  char number[16], filler[5001];
  snprintf(number, sizeof number, "%d", ready);
  memset(filler, 'a', sizeof filler - 1);
  filler[sizeof filler - 1] = '\0';
  execl("/bin/guest_tool", "arguments with spaces", "ready", number, "", "--long", filler, "end",
        (char*)NULL);
  fail("exec");
  return 1;
}

int ready(const char* descriptor) {
  report_and_stay(atoi(descriptor));
  return 0;
}

int plant(const char* base64) {
  int ready;
  if (start(&ready) != 0) return 0;
  size_t length;
  unsigned char* content = base64_decode(base64, &length);
  size_t size = (length + 4095) / 4096 * 4096;
  void* pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mlock(pages, size) != 0) fail("mmap");
  memcpy(pages, content, length);
  prctl(PR_SET_NAME, "planter");
  report_and_stay(ready);
  return 0;
}
