#include "guest_tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail(const char* what) {
  fprintf(stderr, "guest_tool: %s: %s\n", what, strerror(errno));
  exit(1);
}

int main(int argc, char** argv) {
  const char* command = argc > 1 ? argv[1] : "";
  const char* first = argc > 2 ? argv[2] : "";
  const char* second = argc > 3 ? argv[3] : "";
  const char* third = argc > 4 ? argv[4] : "";
  if (strcmp(command, "sleepers") == 0) return sleepers(atoi(first));
  if (strcmp(command, "threads") == 0) return threads(atoi(first));
  if (strcmp(command, "zombie") == 0) return zombie();
  if (strcmp(command, "user") == 0) return user((unsigned)atoi(first), (unsigned)atoi(second));
  if (strcmp(command, "named") == 0) return named(first);
  if (strcmp(command, "arguments") == 0) return arguments();
  if (strcmp(command, "ready") == 0) return ready(first);
  if (strcmp(command, "regions") == 0) return regions();
  if (strcmp(command, "plant") == 0) return plant(first);
  if (strcmp(command, "swap_out") == 0) return swap_out(first);
  if (strcmp(command, "check_disk") == 0) return check_disk(first, atoi(second));
  if (strcmp(command, "churn") == 0) return churn(atoi(first), atol(second));
  if (strcmp(command, "check_memory") == 0) return check_memory(atoi(first), atoi(second));
  if (strcmp(command, "boot") == 0) return boot_another(first, second, third);
  if (strcmp(command, "hang") == 0) return hang(first);
  if (strcmp(command, "list") == 0) return list();
  if (strcmp(command, "sockets") == 0) return sockets(first);
  if (strcmp(command, "details") == 0) return details(first);
  if (strcmp(command, "unusual") == 0) return unusual(first);
  if (strcmp(command, "serve") == 0) return serve(first);
  fprintf(stderr, "guest_tool: unknown command '%s'\n", command);
  return 2;
}
