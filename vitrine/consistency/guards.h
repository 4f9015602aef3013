// Looks at the locks that guard what a view reads: whether writers hold them, and which.
//
// Thread contract: one thread at a time. Cost: a load per lock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vitrine/consistency/locks.h"
#include "vitrine/kernel/kernel.h"
#include "vitrine/views/view.h"

namespace vitrine::consistency {

class Guards {
 public:
  // `kernel` outlives this object.
  explicit Guards(const kernel::Kernel& kernel) : kernel_(kernel) {}

  // Finds what guards this view in the kernel, and forgets what was held.
  void begin(const views::View& view);

  // Looks at the global locks, or at those of the objects that the view met last. Each word is
  // recorded, as far as a writer changes it. False where one is held, which is then in held(),
  // can't be read, or is not understood.
  bool global_free(views::Reader& reader);
  bool objects_free(views::Reader& reader, const views::View& view);

  // Whether every lock that was met since begin() is understood; if not, nothing is proved by
  // looking at the others.
  bool understood() const { return understood_; }

  // The names of the locks that were held at the last look, at most some.
  const std::vector<std::string>& held() const { return held_; }
  void forget_held() { held_.clear(); }

 private:
  static constexpr std::size_t kMostNames = 16;

  struct Global {
    std::string_view name;
    base::GuestVirtual at;
    LockForm form;
  };

  // Whether the lock is free; nothing where its word can't be read.
  static std::optional<bool> is_free(views::Reader& reader, base::GuestVirtual lock,
                                     const LockForm& form);
  void add_held(std::string name);

  const kernel::Kernel& kernel_;
  std::optional<Locks> locks_;  // once they are needed
  std::span<const views::GlobalGuard> declared_;
  bool globals_understood_ = false;
  bool understood_ = false;
  std::vector<Global> globals_;
  std::vector<views::ObjectGuard> objects_;
  std::vector<std::string> held_;
};

}  // namespace vitrine::consistency
