// Processes with unusual scheduling, rights, namespaces and terminals, and such as have used the
// processor; each stays. They are named after what is unusual.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guest_tool.h"

static void schedule(int policy, int priority) {
  struct sched_param parameter = {.sched_priority = priority};
  if (sched_setscheduler(0, policy, &parameter) != 0) fail("sched_setscheduler");
}

// SCHED_DEADLINE, which glibc has no function for.
static void schedule_by_deadline(void) {
  struct {
    unsigned size, policy;
    unsigned long long flags;
    int nice;
    unsigned priority;
    unsigned long long runtime, deadline, period;
  } wanted = {sizeof wanted, 6, 0, 0, 0, 1000000, 100000000, 100000000};
  if (syscall(SYS_sched_setattr, 0, &wanted, 0) != 0) fail("sched_setattr");
}

static void stay_on_last_cpu(void) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) fail("sched_setaffinity");
}

static void set_capabilities(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[2] = {{0, 0, 0}, {0, 0, 0}};
  if (prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE) != 0) fail("PR_CAPBSET_DROP");
  sets[0].permitted = 1 << CAP_CHOWN | 1 << CAP_NET_RAW | 1 << CAP_SYS_TIME;
  sets[0].effective = 1 << CAP_NET_RAW;
  sets[0].inheritable = 1 << CAP_CHOWN | 1 << CAP_NET_RAW;
  sets[1].permitted = sets[1].effective = 1 << (CAP_BPF - 32);
  if (syscall(SYS_capset, &header, sets) != 0) fail("capset");
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0) != 0) fail("PR_CAP_AMBIENT");
}

static void filter_system_calls(void) {
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {1, &allow};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) fail("PR_SET_SECCOMP");
}

// May do nothing but read, write and exit: it waits in a read of a pipe that nobody writes to.
static void restrict_strictly(int ready) {
  int ends[2];
  char byte;
  if (pipe(ends) != 0) fail("pipe");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) fail("PR_SET_SECCOMP");
  if (write(ready, "", 1) != 1) syscall(SYS_exit, 1);
  syscall(SYS_read, ends[0], &byte, 1);
  syscall(SYS_exit, 0);
}

static void open_terminal(void) {
  int number, unlocked = 0;
  char name[32];
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) != 0 ||
      ioctl(master, TIOCGPTN, &number) != 0)
    fail("/dev/ptmx");
  snprintf(name, sizeof name, "/dev/pts/%d", number);
  int slave = open(name, O_RDWR | O_NOCTTY);
  if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) != 0) fail(name);
}

static void burn(clockid_t clock, long milliseconds) {
  struct timespec now;
  volatile unsigned long sum = 0;
  do {
    // In user mode, then in the kernel.
    for (unsigned long i = 0; i < 200000; ++i) sum += i;
    for (int i = 0; i < 200; ++i) getppid();
    clock_gettime(clock, &now);
  } while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < milliseconds);
}

static void* burn_and_end(void* unused) {
  burn(CLOCK_THREAD_CPUTIME_ID, 150);
  return unused;
}

static pthread_barrier_t burnt;

static void* burn_and_stay(void* unused) {
  burn(CLOCK_THREAD_CPUTIME_ID, 100);
  pthread_barrier_wait(&burnt);
  for (;;) pause();
  return unused;
}

// Time of a thread that has ended, of one that stays, and of the first one.
static void use_time(void) {
  pthread_t ends, stays;
  pthread_barrier_init(&burnt, NULL, 2);
  if (pthread_create(&ends, NULL, burn_and_end, NULL) != 0) fail("pthread_create");
  if (pthread_create(&stays, NULL, burn_and_stay, NULL) != 0) fail("pthread_create");
  pthread_join(ends, NULL);
  burn(CLOCK_THREAD_CPUTIME_ID, 50);
  pthread_barrier_wait(&burnt);
}

int unusual(const char* what) {
  int ready;
  if (start(&ready) != 0) return 0;
  prctl(PR_SET_NAME, what);
  if (strcmp(what, "nice") == 0 && setpriority(PRIO_PROCESS, 0, 7) != 0) fail(what);
  if (strcmp(what, "eager") == 0 && setpriority(PRIO_PROCESS, 0, -13) != 0) fail(what);
  if (strcmp(what, "fifo") == 0) schedule(SCHED_FIFO, 42);
  if (strcmp(what, "rr") == 0) schedule(SCHED_RR, 3);
  if (strcmp(what, "batch") == 0) schedule(SCHED_BATCH, 0);
  if (strcmp(what, "idle") == 0) schedule(SCHED_IDLE, 0);
  if (strcmp(what, "deadline") == 0) schedule_by_deadline();
  if (strcmp(what, "pinned") == 0) stay_on_last_cpu();
  if (strcmp(what, "capable") == 0) set_capabilities();
  if (strcmp(what, "no-new-privs") == 0) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (strcmp(what, "filtered") == 0) filter_system_calls();
  if (strcmp(what, "strict") == 0) restrict_strictly(ready);
  if (strcmp(what, "terminal") == 0) open_terminal();
  if (strcmp(what, "busy") == 0) use_time();
  if (strcmp(what, "apart") == 0 &&
      unshare(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWCGROUP) != 0)
    fail(what);
  if (strcmp(what, "own-users") == 0 && unshare(CLONE_NEWUSER) != 0) fail(what);
  report_and_stay(ready);
  return 0;
}
