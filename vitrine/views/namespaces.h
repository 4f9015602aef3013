// The namespaces that a task lives in, by the numbers of /proc/PID/ns.
//
// Thread contract: immutable once attached. Cost: some 20 loads a task.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "vitrine/kernel/type_lookup.h"
#include "vitrine/views/reader.h"
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

  NamespaceNumber of_task(Reader& reader, base::GuestVirtual task, Namespace which) const;

 private:
  static constexpr std::uint32_t kMaxLevel = 32;  // MAX_PID_NS_LEVEL

  bool find(Reader& reader, base::GuestVirtual task, Namespace which, base::GuestVirtual& at) const;

  std::uint32_t proxy_ = 0, cred_ = 0, pid_ = 0;                                // task_struct
  std::uint32_t user_ = 0;                                                      // cred
  std::uint32_t level_ = 0, numbers_ = 0, upid_size_ = 0, upid_namespace_ = 0;  // pid; upid
  std::array<std::optional<std::uint32_t>, kNamespaces> in_proxy_;              // nsproxy
  std::array<std::uint32_t, kNamespaces> number_{};  // in each kind of namespace
};

}  // namespace vitrine::views
