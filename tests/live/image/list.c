// The guest's own list of its tasks, from its /proc: one JSON object a line. Strings are in hex,
// since names need be neither UTF-8 nor printable. Made by one process in one go, so that the
// list holds nothing short-lived but the listing process itself.
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest_tool.h"

#define PF_KTHREAD 0x00200000

// Reads a file of a task, at most size - 1 bytes, and ends it with a zero. -1 if the task ended.
static ssize_t read_task_file(int process, int task, const char* name, char* data, size_t size) {
  char path[96];
  size_t used = 0;
  ssize_t count;
  snprintf(path, sizeof path, "/proc/%d/task/%d/%s", process, task, name);
  int file = open(path, O_RDONLY);
  if (file < 0) return -1;
  while (used < size - 1 && (count = read(file, data + used, size - 1 - used)) > 0)
    used += (size_t)count;
  close(file);
  data[used] = '\0';
  return (ssize_t)used;
}

static void print_hex(const char* name, const char* data, ssize_t length) {
  printf(",\"%s\":\"", name);
  for (ssize_t i = 0; i < length; ++i) printf("%02x", (unsigned char)data[i]);
  printf("\"");
}

static unsigned long status_number(const char* status, const char* field) {
  const char* line = strstr(status, field);
  return line == NULL ? 0 : strtoul(line + strlen(field), NULL, 10);
}

static void print_task(int process, int task) {
  static char stat[4096], status[8192], statm[256], comm[64], cmdline[65536];
  char state;
  int ppid;
  unsigned flags;
  unsigned long resident = 0;
  unsigned long long start;
  if (read_task_file(process, task, "stat", stat, sizeof stat) <= 0) return;
  if (read_task_file(process, task, "status", status, sizeof status) <= 0) return;
  if (read_task_file(process, task, "statm", statm, sizeof statm) <= 0) return;
  ssize_t comm_length = read_task_file(process, task, "comm", comm, sizeof comm);
  ssize_t cmdline_length = read_task_file(process, task, "cmdline", cmdline, sizeof cmdline);
  const char* fields = strrchr(stat, ')');  // the name before it may hold anything
  if (fields == NULL || comm_length <= 0 || cmdline_length < 0) return;
  if (sscanf(fields + 1,
             " %c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
             &state, &ppid, &flags, &start) != 4)
    return;
  sscanf(statm, "%*u %lu", &resident);
  printf("{\"pid\":%d,\"tgid\":%d,\"ppid\":%d,\"state\":\"%c\",\"uid\":%lu,\"gid\":%lu", task,
         process, ppid, state, status_number(status, "\nUid:\t"),
         status_number(status, "\nGid:\t"));
  printf(",\"threads\":%lu,\"start_ticks\":%llu,\"rss_bytes\":%lu,\"kernel_thread\":%s",
         status_number(status, "\nThreads:\t"), start,
         resident * (unsigned long)sysconf(_SC_PAGESIZE), flags & PF_KTHREAD ? "true" : "false");
  print_hex("comm", comm, comm_length - 1);
  print_hex("cmdline", cmdline, cmdline_length);
  printf("}\n");
}

static void print_process(int process) {
  char path[64];
  struct dirent* entry;
  snprintf(path, sizeof path, "/proc/%d/task", process);
  DIR* tasks = opendir(path);
  if (tasks == NULL) return;
  while ((entry = readdir(tasks)) != NULL)
    if (isdigit((unsigned char)entry->d_name[0])) print_task(process, atoi(entry->d_name));
  closedir(tasks);
}

int list(void) {
  struct dirent* entry;
  DIR* processes = opendir("/proc");
  if (processes == NULL) fail("/proc");
  while ((entry = readdir(processes)) != NULL)
    if (isdigit((unsigned char)entry->d_name[0])) print_process(atoi(entry->d_name));
  closedir(processes);
  return 0;
}
