// The namespaces that a task lives in, by the numbers of /proc/PID/ns.
//
// Thread contract: immutable once attached. Cost: some 20 loads a task.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "vitrine/kernel/type_lookup.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

enum class Namespace : std::uint8_t { cgroup, ipc, mount, net, pid, time, user, uts };
inline constexpr std::size_t kNamespaces = 8;

// One namespace of a task.
struct NamespaceNumber {
  bool readable = true;
  std::optional<std::uint32_t> number;  // nothing: this kernel or an exited task has none
};

class NamespaceReader {
 public:
  static NamespaceReader attach(const kernel::TypeLookup& types, Resolver& at);

  template <class Reader>
  NamespaceNumber of_task(Reader& reader, base::GuestVirtual task, Namespace which) const;

 private:
  static constexpr std::uint32_t kMaxLevel = 32;  // MAX_PID_NS_LEVEL

  template <class Reader>
  bool find(Reader& reader, base::GuestVirtual task, Namespace which, base::GuestVirtual& at) const;

  std::uint32_t proxy_ = 0, cred_ = 0, pid_ = 0;                                // task_struct
  std::uint32_t user_ = 0;                                                      // cred
  std::uint32_t level_ = 0, numbers_ = 0, upid_size_ = 0, upid_namespace_ = 0;  // pid; upid
  std::array<std::optional<std::uint32_t>, kNamespaces> in_proxy_;              // nsproxy
  std::array<std::uint32_t, kNamespaces> number_{};  // in each kind of namespace
};

// The namespace's address; 0 where the task has none (any more).
template <class Reader>
bool NamespaceReader::find(Reader& reader, base::GuestVirtual task, Namespace which,
                           base::GuestVirtual& at) const {
  at = {};
  base::GuestVirtual holder;
  if (which == Namespace::user)
    return reader.load(task + cred_, holder.value) && reader.load(holder + user_, at.value);
  if (which == Namespace::pid) {
    // ns_of_pid(): the innermost one that the task has a number in.
    std::uint32_t level = 0;
    if (!reader.load(task + pid_, holder.value)) return false;
    if (holder.value == 0) return true;
    return reader.load(holder + level_, level) && level <= kMaxLevel &&
           reader.load(holder + numbers_ + std::uint64_t{level} * upid_size_ + upid_namespace_,
                       at.value);
  }
  const auto place = in_proxy_.at(static_cast<std::size_t>(which));
  if (!place) return true;
  // A task that exits has given its namespaces up.
  if (!reader.load(task + proxy_, holder.value)) return false;
  return holder.value == 0 || reader.load(holder + *place, at.value);
}

template <class Reader>
NamespaceNumber NamespaceReader::of_task(Reader& reader, base::GuestVirtual task,
                                         Namespace which) const {
  base::GuestVirtual at;
  std::uint32_t number = 0;
  if (!find(reader, task, which, at)) return {false, {}};
  if (at.value == 0) return {};
  if (!reader.load(at + number_.at(static_cast<std::size_t>(which)), number)) return {false, {}};
  return {true, number};
}

}  // namespace vitrine::views
