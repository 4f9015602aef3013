// What the guest's own /proc tells of its tasks beyond the list of them: one JSON object a line,
// with the fields named and valued as in the rows of `vitrine ps`.
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest_tool.h"

// Reads /proc/… as text; an empty one where that fails.
static void read_text(const char* folder, const char* name, char* text, size_t size) {
  char path[128];
  size_t used = 0;
  ssize_t count;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  text[0] = '\0';
  int file = open(path, O_RDONLY);
  if (file < 0) return;
  while (used < size - 1 && (count = read(file, text + used, size - 1 - used)) > 0)
    used += (size_t)count;
  close(file);
  text[used] = '\0';
}

// The text behind `field` up to the end of its line, or `otherwise`.
static const char* line_of(const char* text, const char* field, const char* otherwise) {
  static char line[4096];
  const char* at = strstr(text, field);
  if (at == NULL) return otherwise;
  at += strlen(field);
  snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
  return line;
}

static void print_text(const char* name, const char* text) {
  if (text == NULL || text[0] == '\0')
    printf(",\"%s\":null", name);
  else
    printf(",\"%s\":\"%s\"", name, text);
}

static const char* policy_name(unsigned policy) {
  static const char* names[] = {"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",       "SCHED_BATCH",
                                "?",           "SCHED_IDLE", "SCHED_DEADLINE", "SCHED_EXT"};
  return policy < 8 ? names[policy] : "?";
}

static void print_terminal(unsigned device) {
  char name[32] = "";
  unsigned major = device >> 8 & 0xfff;
  unsigned minor = (device & 0xff) | (device >> 12 & 0xfff00);
  if (major == 4) snprintf(name, sizeof name, minor < 64 ? "tty%u" : "ttyS%u", minor & 63);
  if (major == 136) snprintf(name, sizeof name, "pts/%u", minor);
  print_text("tty", name);
}

static int print_stat(const char* folder) {
  static char stat[4096];
  unsigned terminal, cpu, rt_priority, policy;
  unsigned long long user, system, size;
  long priority, nice;
  read_text(folder, "stat", stat, sizeof stat);
  const char* fields = strrchr(stat, ')');  // the name before it may hold anything
  if (fields == NULL ||
      sscanf(fields + 1,
             " %*c %*d %*d %*d %u %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %ld %ld %*d %*d %*u "
             "%llu %*d %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %u %u %u",
             &terminal, &user, &system, &priority, &nice, &size, &cpu, &rt_priority, &policy) != 9)
    return 0;
  printf("\"utime_ticks\":%llu,\"stime_ticks\":%llu,\"priority\":%ld,\"nice\":%ld", user, system,
         priority, nice);
  printf(",\"vsz_bytes\":%llu,\"cpu\":%u,\"rt_priority\":%u", size, cpu, rt_priority);
  print_text("policy", policy_name(policy));
  print_terminal(terminal);
  return 1;
}

static void print_status(const char* folder) {
  static const char* sets[][2] = {{"cap_inheritable", "\nCapInh:\t"},
                                  {"cap_permitted", "\nCapPrm:\t"},
                                  {"cap_effective", "\nCapEff:\t"},
                                  {"cap_bounding", "\nCapBnd:\t"},
                                  {"cap_ambient", "\nCapAmb:\t"}};
  static const char* modes[] = {"disabled", "strict", "filter", "dead"};
  static char status[8192];
  read_text(folder, "status", status, sizeof status);
  for (size_t i = 0; i < 5; ++i) print_text(sets[i][0], line_of(status, sets[i][1], NULL));
  print_text("seccomp", modes[atoi(line_of(status, "\nSeccomp:\t", "0")) & 3]);
  printf(",\"no_new_privs\":%s",
         atoi(line_of(status, "\nNoNewPrivs:\t", "0")) != 0 ? "true" : "false");
  printf(",\"swap_bytes\":%llu", strtoull(line_of(status, "\nVmSwap:\t", "0"), NULL, 10) << 10);
}

static void print_namespaces(const char* folder) {
  static const char* kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
  for (size_t i = 0; i < 8; ++i) {
    char path[128], link[64];
    snprintf(path, sizeof path, "%s/ns/%s", folder, kinds[i]);
    ssize_t length = readlink(path, link, sizeof link - 1);
    if (length < 0) {
      printf(",\"%s_ns\":null", kinds[i]);
    } else {
      link[length] = '\0';
      printf(",\"%s_ns\":%lu", kinds[i], strtoul(strchr(link, '[') + 1, NULL, 10));
    }
  }
}

static void print_details(const char* folder, int task) {
  static char text[8192];
  printf("{\"pid\":%d,", task);
  if (!print_stat(folder)) printf("\"gone\":true");
  print_status(folder);
  print_namespaces(folder);
  read_text(folder, "cgroup", text, sizeof text);
  print_text("cgroup", line_of(text, "0::", NULL));
  read_text(folder, "wchan", text, sizeof text);
  print_text("wchan", strcmp(text, "0") == 0 ? NULL : text);
  printf("}\n");
}

// Of each entry of a folder that is a number.
static void of_each(const char* folder, int threads) {
  struct dirent* entry;
  DIR* entries = opendir(folder);
  if (entries == NULL) return;
  while ((entry = readdir(entries)) != NULL) {
    char path[64];
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    snprintf(path, sizeof path, "%.32s/%.16s%s", folder, entry->d_name, threads ? "/task" : "");
    if (threads)
      of_each(path, 0);
    else
      print_details(path, atoi(entry->d_name));
  }
  closedir(entries);
}

int details(const char* of) {
  of_each("/proc", strcmp(of, "threads") == 0);
  return 0;
}
