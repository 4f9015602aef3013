// The tasks of one collection by where they are, so that a pointer that claims to lead to a task
// can be believed, and by where their kernel stacks are.
//
// Thread contract: one thread at a time. Cost: a binary search a question.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "vitrine/base/address.h"

namespace vitrine::views {

class TaskIndex {
 public:
  static constexpr std::uint64_t kStackSize = 16 << 10;  // THREAD_SIZE of x86-64 without KASAN

  void clear() {
    tasks_.clear();
    stacks_.clear();
  }
  // `number`: what find() will tell.
  void add(base::GuestVirtual task, base::GuestVirtual stack, std::size_t number) {
    tasks_.push_back({task, number});
    if (stack.value != 0) stacks_.push_back(stack);
  }
  // To be called once all are added.
  void sort() {
    std::ranges::sort(tasks_, {}, &Entry::task);
    std::ranges::sort(stacks_);
  }

  std::optional<std::size_t> find(base::GuestVirtual task) const {
    const auto found = std::ranges::lower_bound(tasks_, task, {}, &Entry::task);
    if (found == tasks_.end() || found->task != task) return std::nullopt;
    return found->number;
  }
  // Whether it is on the kernel stack of a task.
  bool on_stack(base::GuestVirtual at) const {
    const auto above = std::ranges::upper_bound(stacks_, at);
    return above != stacks_.begin() && at - *(above - 1) < kStackSize;
  }

 private:
  struct Entry {
    base::GuestVirtual task;
    std::size_t number = 0;
  };
  std::vector<Entry> tasks_;
  std::vector<base::GuestVirtual> stacks_;
};

}  // namespace vitrine::views
