#include "vitrine/views/namespaces.h"

namespace vitrine::views {
namespace {

struct Kind {
  Namespace which;
  std::string_view type;
  std::string_view in_proxy;  // empty: held elsewhere
};

constexpr std::array<Kind, kNamespaces> kKinds{{
    {Namespace::cgroup, "cgroup_namespace", "cgroup_ns"},
    {Namespace::ipc, "ipc_namespace", "ipc_ns"},
    {Namespace::mount, "mnt_namespace", "mnt_ns"},
    {Namespace::net, "net", "net_ns"},
    {Namespace::pid, "pid_namespace", ""},
    {Namespace::time, "time_namespace", "time_ns"},
    {Namespace::user, "user_namespace", ""},
    {Namespace::uts, "uts_namespace", "uts_ns"},
}};

}  // namespace

// A kernel may be built without any of those in nsproxy.
NamespaceReader NamespaceReader::attach(const kernel::TypeLookup& types, Resolver& at) {
  NamespaceReader reader;
  reader.proxy_ = at("task_struct", "nsproxy");
  reader.cred_ = at("task_struct", "real_cred");
  reader.pid_ = at("task_struct", "thread_pid");
  reader.user_ = at("cred", "user_ns");
  reader.level_ = at("pid", "level");
  reader.numbers_ = at("pid", "numbers");
  reader.upid_size_ = at.size("upid");
  reader.upid_namespace_ = at("upid", "ns");
  for (const Kind& kind : kKinds) {
    const auto index = static_cast<std::size_t>(kind.which);
    const bool elsewhere = kind.in_proxy.empty();
    if (!elsewhere &&
        !(types.has_member("nsproxy", kind.in_proxy) && types.has_member(kind.type, "ns.inum")))
      continue;
    if (!elsewhere) reader.in_proxy_.at(index) = at("nsproxy", kind.in_proxy);
    reader.number_.at(index) = at(kind.type, "ns.inum");
  }
  return reader;
}

// The namespace's address; 0 where the task has none (any more).
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
