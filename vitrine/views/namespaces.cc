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

}  // namespace vitrine::views
