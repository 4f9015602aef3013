// A kernel module for tests of what a hung guest tells: threads that wait for each other's locks
// without end. Loaded into guests of the tests only.
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/semaphore.h>

static DEFINE_MUTEX(first_lock);
static DEFINE_MUTEX(second_lock);
static DECLARE_RWSEM(held_rwsem);
static DEFINE_SEMAPHORE(held_semaphore);
static DECLARE_COMPLETION(never_done);

static noinline void sleep_without_end(void) {
  for (;;) msleep(1000 * 1000);
}

static int dead_one(void* nothing) {
  mutex_lock(&first_lock);
  msleep(200);
  mutex_lock(&second_lock);
  return 0;
}
static int dead_two(void* nothing) {
  mutex_lock(&second_lock);
  msleep(200);
  mutex_lock(&first_lock);
  return 0;
}
static int dead_behind(void* nothing) {
  msleep(400);
  mutex_lock(&first_lock);
  return 0;
}

static int held_owner(void* nothing) {
  down_write(&held_rwsem);
  down(&held_semaphore);
  sleep_without_end();
  return 0;
}
static int held_writer(void* nothing) {
  msleep(200);
  down_write(&held_rwsem);
  return 0;
}
static int held_reader(void* nothing) {
  msleep(400);
  down_read(&held_rwsem);
  return 0;
}
static int held_sema(void* nothing) {
  msleep(200);
  down(&held_semaphore);
  return 0;
}
static int never(void* nothing) {
  wait_for_completion(&never_done);
  return 0;
}

static int __init start_trouble(void) {
  static int (*const functions[])(void*) = {dead_one,    dead_two,    dead_behind, held_owner,
                                            held_writer, held_reader, held_sema,   never};
  static const char* const names[] = {"dead-one",    "dead-two",    "dead-behind", "held-owner",
                                      "held-writer", "held-reader", "held-sema",   "never"};
  int i;
  for (i = 0; i < ARRAY_SIZE(functions); ++i) kthread_run(functions[i], NULL, names[i]);
  return 0;
}
module_init(start_trouble);

MODULE_DESCRIPTION("Threads that wait for each other without end");
MODULE_LICENSE("GPL");
