// The one program of the test guest besides busybox: it makes the processes that the tests look
// for, prints the guest's own list of them, and serves commands on the serial console.
// Static C, so that it runs on any kernel without libraries. It is trusted by the tests.
#ifndef VITRINE_TESTS_LIVE_IMAGE_GUEST_TOOL_H
#define VITRINE_TESTS_LIVE_IMAGE_GUEST_TOOL_H

#include <stddef.h>

// Prints `what` and errno, then exits.
void fail(const char* what);

// Decodes base64 in place of a new buffer; the result is freed by nobody. Exits on bad input.
unsigned char* base64_decode(const char* text, size_t* length);

// Writes data as one line of base64 to the descriptor.
void base64_write(int descriptor, const unsigned char* data, size_t length);

// Forks a process of its own session; the parent waits until the child says it is set up. Returns 0
// in the child, which keeps *ready, and 1 in the parent when the child is ready.
int start(int* ready);
// To be called by that child when it is set up; never returns.
void report_and_stay(int ready);

// Subcommands (one file per subject).
int sleepers(int count);
int threads(int count);
int zombie(void);
int user(unsigned uid, unsigned gid);
int named(const char* base64);
int arguments(void);
int ready(const char* descriptor);
int plant(const char* base64);
// With regions of memory of every kind; /tmp/regions has its id, and where a known text is.
int regions(void);
// Until the arguments of the process are on swap, which must be there.
int swap_out(const char* pid);
// Writes and reads a disk for some seconds; fails if it gives back anything else (disk.c).
int check_disk(const char* path, int seconds);
// Writes to random pages of so much memory for some milliseconds; says how many writes that were.
int churn(int mebibytes, long milliseconds);
// Writes so much memory for some seconds, and fails if it ever holds anything else (memory.c).
int check_memory(int mebibytes, int seconds);
// Starts another kernel in place of this one (kexec); returns only if that fails.
int boot_another(const char* kernel, const char* initramfs, const char* command_line);
// Processes that wait for each other without end, "in" a mutex, rwsem, readers, futex, pipe or
// file_lock (hang.c).
int hang(const char* in);
int list(void);
// Opens sockets of every kind, Unix ones named after `prefix`, in two processes that stay; prints
// the id of the first (sockets.c).
int sockets(const char* prefix);
// What /proc tells of each of the "processes" or "threads" (details.c).
int details(const char* of);
// A process with unusual scheduling, rights or whatever the name says (rights.c).
int unusual(const char* what);
int serve(const char* terminal);

#endif
