#include "vitrine/consistency/locks.h"

#include <initializer_list>
#include <string_view>

namespace vitrine::consistency {
namespace {

using views::LockKind;

constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr std::uint64_t kReaderBias = std::uint64_t{1} << 31;

// A member by which a form is told, and what its word says.
struct Candidate {
  std::string_view member;
  std::uint32_t size;
  std::uint64_t free;
  std::uint64_t holder;
  std::uint64_t compared;
};

std::optional<LockForm> first_of(const kernel::TypeLookup& types, std::string_view type,
                                 std::initializer_list<Candidate> candidates) {
  for (const Candidate& candidate : candidates) {
    if (!types.has_member(type, candidate.member)) continue;
    const auto member = types.member(type, candidate.member);
    if (!member) continue;
    return LockForm{static_cast<std::uint32_t>(member->offset), candidate.size, candidate.free,
                    candidate.holder, candidate.compared};
  }
  return std::nullopt;
}

}  // namespace

Locks Locks::understand(const kernel::TypeLookup& types) {
  constexpr Candidate kRealTimeReaders{"rwbase.readers.counter", 4, kReaderBias, kReaderBias,
                                       kReaderBias};
  const auto real_time_owner = [](std::string_view member) {
    return Candidate{member, 8, 0, kAll << 1, kAll << 1};
  };
  Locks locks;
  const auto set = [&locks](LockKind kind, std::optional<LockForm> form) {
    locks.forms_.at(static_cast<std::size_t>(kind)) = form;
  };
  set(LockKind::spinlock,
      first_of(types, "spinlock",
               {{"rlock.raw_lock.val.counter", 4, 0, 0xff, 0xff}, real_time_owner("lock.owner")}));
  set(LockKind::rwlock,
      first_of(types, "rwlock_t", {{"raw_lock.cnts.counter", 4, 0, 0xff, 0xff}, kRealTimeReaders}));
  if (types.has_member("rw_semaphore", "owner.counter"))
    set(LockKind::semaphore, first_of(types, "rw_semaphore", {{"count.counter", 8, 0, 1, 1}}));
  else
    set(LockKind::semaphore, first_of(types, "rw_semaphore", {kRealTimeReaders}));
  set(LockKind::mutex,
      first_of(types, "mutex",
               {{"owner.counter", 8, 0, kAll << 3, kAll << 3}, real_time_owner("rtmutex.owner")}));
  // The sequence count knows its lock since 5.10 (1a206957c1b3).
  set(LockKind::seqlock, first_of(types, "seqlock_t",
                                  {{"seqcount.seqcount.sequence", 4, 0, 1, kAll},
                                   {"seqcount.sequence", 4, 0, 1, kAll}}));
  return locks;
}

}  // namespace vitrine::consistency
