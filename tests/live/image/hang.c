// Processes that wait for each other in the kernel, without end and without any help of a module: a
// page that nobody provides (userfaultfd) stops whoever touches it, wherever in the kernel that is,
// and with what locks it has.
//
// Each prints "NAME PID" for every process that it started, once all of them wait.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest_tool.h"

#define PAGE 4096

// A page that stops whoever touches it.
static char* absent_page(void) {
  int fault = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
  struct uffdio_api api = {.api = UFFD_API};
  char* page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct uffdio_register range = {.range = {(uintptr_t)page, PAGE},
                                  .mode = UFFDIO_REGISTER_MODE_MISSING};
  if (fault < 0 || page == MAP_FAILED || ioctl(fault, UFFDIO_API, &api) != 0 ||
      ioctl(fault, UFFDIO_REGISTER, &range) != 0)
    fail("userfaultfd");
  return page;
}

static char state_of(pid_t pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int file = open(path, O_RDONLY);
  ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
  close(file);
  if (size <= 0) return 'X';
  text[size] = '\0';
  char* name_end = strrchr(text, ')');
  return name_end == NULL ? 'X' : name_end[2];
}

// Starts a process that does something without end, and returns once it waits.
static pid_t start_named(const char* name, void (*act)(void)) {
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    setsid();
    prctl(PR_SET_NAME, name);
    act();
    _exit(1);
  }
  for (int settled = 0; settled < 5;) {
    char state = state_of(child);
    if (state == 'X' || state == 'Z') fail(name);
    settled = state == 'R' ? 0 : settled + 1;
    usleep(10000);
  }
  printf("%s %d\n", name, child);
  fflush(stdout);
  return child;
}

static int ends[2];
static char byte;
static const char* path;

static void write_absent(void) { (void)!write(ends[1], absent_page(), 1); }
static void write_file_absent(void) { (void)!pwrite(ends[1], absent_page(), 1, 0); }
static void write_file(void) { (void)!pwrite(ends[1], &byte, 1, 0); }
static void read_pipe(void) { (void)!read(ends[0], &byte, 1); }

static void wait_for_reader(void) {
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_NAME, "reader-child");
    read_pipe();
    _exit(1);
  }
  waitpid(child, NULL, 0);
}

// A pipe's mutex, which its writer has while it copies.
static void hang_in_mutex(void) {
  if (pipe(ends) != 0) fail("pipe");
  start_named("mutex-owner", write_absent);
  start_named("mutex-waiter-1", read_pipe);
  start_named("mutex-waiter-2", read_pipe);
  start_named("mutex-parent", wait_for_reader);
}

// A file's rwsem, which its writer has while it copies.
static void hang_in_rwsem(void) {
  ends[1] = open("/tmp/hang-file", O_RDWR | O_CREAT, 0600);
  if (ends[1] < 0) fail("open");
  start_named("rwsem-owner", write_file_absent);
  start_named("rwsem-writer", write_file);
}

static void list_into(char* page) {
  (void)!syscall(SYS_getdents64, open(path, O_RDONLY | O_DIRECTORY), page, PAGE);
}
static void list_into_absent(void) { list_into(absent_page()); }
static void list_present(void) {
  static char page[PAGE];
  list_into(page);
}
static void make_directory(void) { (void)!mkdir("/tmp/hang-directory/new", 0700); }

// A directory's rwsem, which several may have for reading.
static void hang_in_readers(void) {
  path = "/tmp/hang-directory";
  if (mkdir(path, 0700) != 0) fail(path);
  start_named("readers-owner", list_into_absent);
  start_named("readers-writer", make_directory);
  start_named("readers-reader", list_present);
}

static pthread_mutex_t mutex;
static void* lock_second(void* name) {
  prctl(PR_SET_NAME, name);
  pthread_mutex_lock(&mutex);
  return NULL;
}
static void lock_twice(int protocol, const char* second) {
  pthread_mutexattr_t attributes;
  pthread_t thread;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, protocol);
  pthread_mutex_init(&mutex, &attributes);
  pthread_mutex_lock(&mutex);
  if (pthread_create(&thread, NULL, lock_second, (void*)(uintptr_t)second) != 0)
    fail("pthread_create");
  for (;;) pause();
}
static void lock_plainly(void) { lock_twice(PTHREAD_PRIO_NONE, "futex-waiter"); }
static void lock_inheriting(void) { lock_twice(PTHREAD_PRIO_INHERIT, "pi-waiter"); }

static void hang_in_futex(void) {
  start_named("futex-owner", lock_plainly);
  start_named("pi-owner", lock_inheriting);
}

static void hold_and_stop(void) {
  close(ends[0]);
  raise(SIGSTOP);
}
static void read_only(void) {
  close(ends[1]);
  read_pipe();
}

// A pipe whose writer is stopped.
static void hang_in_pipe(void) {
  if (pipe(ends) != 0) fail("pipe");
  start_named("pipe-writer", hold_and_stop);
  start_named("pipe-reader", read_only);
}

static void lock_file(void) {
  if (flock(open("/tmp/hang-locked", O_RDWR | O_CREAT, 0600), LOCK_EX) != 0) fail("flock");
  for (;;) pause();
}

static void hang_in_file_lock(void) {
  start_named("flock-owner", lock_file);
  start_named("flock-waiter", lock_file);
}

int hang(const char* in) {
  if (strcmp(in, "mutex") == 0) return hang_in_mutex(), 0;
  if (strcmp(in, "rwsem") == 0) return hang_in_rwsem(), 0;
  if (strcmp(in, "readers") == 0) return hang_in_readers(), 0;
  if (strcmp(in, "futex") == 0) return hang_in_futex(), 0;
  if (strcmp(in, "pipe") == 0) return hang_in_pipe(), 0;
  if (strcmp(in, "file_lock") == 0) return hang_in_file_lock(), 0;
  return 2;
}
