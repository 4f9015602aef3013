// Serves commands on a terminal, as the guest's first process. A request is a line
//   run NONCE BASE64-OF-A-SHELL-COMMAND
// and the answer, whatever else the console prints before it, three lines
//   begin NONCE
//   BASE64 of what the command printed on stdout and stderr
//   end NONCE STATUS
// The command's output goes to a memory file, so a background process that keeps it open does
// not hold up the answer.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "guest_tool.h"

static int run_shell(const char* command, int output) {
  int status = 0;
  pid_t child = fork();
  if (child < 0) return 126;
  if (child == 0) {
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0);
    dup2(output, 1);
    dup2(output, 2);
    setsid();
    execl("/bin/sh", "sh", "-c", command, (char*)NULL);
    _exit(127);
  }
  // The first process also inherits orphans and must reap them.
  for (pid_t ended = 0; ended != child;) {
    ended = waitpid(-1, &status, 0);
    if (ended < 0 && errno != EINTR) return 126;
  }
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void answer(int terminal, const char* nonce, const char* command) {
  int output = memfd_create("output", MFD_CLOEXEC);
  if (output < 0) fail("memfd_create");
  int status = run_shell(command, output);
  struct stat info;
  if (fstat(output, &info) != 0) fail("fstat");
  size_t length = (size_t)info.st_size;
  unsigned char* data = malloc(length + 1);
  if (data == NULL || pread(output, data, length, 0) != (ssize_t)length) fail("pread");
  dprintf(terminal, "\nbegin %s\n", nonce);
  base64_write(terminal, data, length);
  dprintf(terminal, "end %s %d\n", nonce, status);
  free(data);
  close(output);
}

int serve(const char* path) {
  int terminal = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios mode;
  if (terminal < 0 || tcgetattr(terminal, &mode) != 0) fail(path);
  cfmakeraw(&mode);
  if (tcsetattr(terminal, TCSANOW, &mode) != 0) fail("tcsetattr");
  FILE* requests = fdopen(dup(terminal), "r");
  char* line = NULL;
  size_t size = 0;
  char nonce[33], command[8192];
  dprintf(terminal, "\nvitrine-guest-ready\n");
  while (getline(&line, &size, requests) > 0) {
    if (sscanf(line, "run %32s %8191s", nonce, command) != 2) continue;
    size_t length;
    unsigned char* text = base64_decode(command, &length);
    text[length] = '\0';
    answer(terminal, nonce, (const char*)text);
    free(text);
  }
  return 1;
}
