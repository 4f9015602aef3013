#include "vitrine/views/net_namespaces.h"

namespace vitrine::views {

base::Result<NetNamespaces> NetNamespaces::attach(const kernel::Kernel& kernel, Resolver& at) {
  const auto head = kernel.symbols.find("net_namespace_list");
  if (!head)
    return base::fail(base::Code::unsupported,
                      "this kernel's kallsyms does not name net_namespace_list",
                      "the guest's kernel needs CONFIG_NET and CONFIG_KALLSYMS_ALL");
  NetNamespaces namespaces;
  namespaces.head_ = *head;
  namespaces.link_ = at("net", "list");
  namespaces.number_ = at("net", "ns.inum");
  namespaces.interfaces_ = at("net", "dev_base_head");
  namespaces.device_link_ = at("net_device", "dev_list");
  namespaces.index_ = at("net_device", "ifindex");
  namespaces.name_ = at("net_device", "name");
  return namespaces;
}

}  // namespace vitrine::views
