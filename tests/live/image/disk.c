// Checks that a disk gives back what was written to it, while memory is copied under its requests.
//
// Each worker writes blocks and reads them back past the page cache, into a page whose rest another
// thread never stops writing to: if the page is copied while the disk reads into it, the data must
// not end up in the page that was left behind.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guest_tool.h"

#define WORKERS 4
#define BLOCK 1024
#define WORDS (BLOCK / sizeof(uint64_t))
#define BLOCKS 64  // of each worker: few, so that most requests read
#define PAGE 4096

struct worker {
  const char* path;
  time_t end;
  unsigned first;                // block on the disk
  unsigned char* page;           // the block's buffer lies at its beginning
  uint64_t generations[BLOCKS];  // what each block was written with; 0: not yet
  unsigned long checked;
};

static atomic_int stop_scribbling;

static void* scribble(void* pages) {
  volatile unsigned char* byte = pages;
  while (!atomic_load(&stop_scribbling))
    for (int i = 0; i < WORKERS; ++i) ++byte[i * PAGE + PAGE - 1];
  return NULL;
}

static uint64_t word(unsigned block, uint64_t generation, size_t index) {
  return (block * 0x9e3779b97f4a7c15u) ^ (generation * 0xbf58476d1ce4e5b9u) ^ index;
}

static void* work(void* argument) {
  struct worker* self = argument;
  int disk = open(self->path, O_RDWR | O_DIRECT);
  if (disk < 0) fail(self->path);
  uint64_t random = self->first + 1;
  for (uint64_t generation = 1; time(NULL) < self->end; ++generation) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    unsigned index = (unsigned)(random >> 33) % BLOCKS, block = self->first + index;
    uint64_t* buffer = (uint64_t*)(void*)self->page;
    if (self->generations[index] == 0 || (random >> 60) == 0) {
      for (size_t i = 0; i < WORDS; ++i) buffer[i] = word(block, generation, i);
      if (pwrite(disk, buffer, BLOCK, (off_t)block * BLOCK) != BLOCK) fail("pwrite");
      self->generations[index] = generation;
      continue;
    }
    memset(buffer, 0xa5, BLOCK);
    if (pread(disk, buffer, BLOCK, (off_t)block * BLOCK) != BLOCK) fail("pread");
    for (size_t i = 0; i < WORDS; ++i) {
      if (buffer[i] == word(block, self->generations[index], i)) continue;
      fprintf(stderr, "guest_tool: word %zu of block %u is wrong: %016lx\n", i, block,
              (unsigned long)buffer[i]);
      exit(1);
    }
    ++self->checked;
  }
  close(disk);
  return NULL;
}

int check_disk(const char* path, int seconds) {
  static struct worker workers[WORKERS];
  pthread_t threads[WORKERS], scribbler;
  unsigned char* pages = aligned_alloc(PAGE, (size_t)WORKERS * PAGE);
  unsigned long checked = 0;
  if (pages == NULL) fail("aligned_alloc");
  memset(pages, 0, (size_t)WORKERS * PAGE);
  if (pthread_create(&scribbler, NULL, scribble, pages) != 0) fail("pthread_create");
  for (unsigned i = 0; i < WORKERS; ++i) {
    workers[i].path = path;
    workers[i].end = time(NULL) + seconds;
    workers[i].first = i * BLOCKS;
    workers[i].page = pages + (size_t)i * PAGE;
    if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0) fail("pthread_create");
  }
  for (unsigned i = 0; i < WORKERS; ++i) {
    pthread_join(threads[i], NULL);
    checked += workers[i].checked;
  }
  atomic_store(&stop_scribbling, 1);
  pthread_join(scribbler, NULL);
  printf("right: %lu\n", checked);
  return checked == 0;
}
