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

bool NetNamespaces::read(Reader& reader) {
  list_.clear();
  numbers_.clear();
  names_.clear();
  steps_.renew();
  base::GuestVirtual at;
  CycleGuard guard;
  bool readable = reader.load(head_, at.value);
  while (readable && at != head_) {
    if (list_.size() >= kMaxNamespaces || guard.closes(at)) return false;
    NetNamespace name_space{at - link_};
    readable = reader.load(name_space.at + number_, name_space.number) && reader.load(at, at.value);
    if (!readable) break;
    list_.push_back(name_space);
    numbers_.emplace(name_space.at, name_space.number);
  }
  return readable;
}

bool NetNamespaces::number(Reader& reader, base::GuestVirtual name_space,
                           std::uint32_t& number) const {
  const auto known = numbers_.find(name_space);
  if (known == numbers_.end()) return reader.load(name_space + number_, number);
  number = known->second;
  return true;
}

bool NetNamespaces::load_interface_name(Reader& reader, base::GuestVirtual device,
                                        std::string& name) const {
  std::array<char, kNameSize> text{};
  if (!reader.load_bytes(device + name_, std::as_writable_bytes(std::span(text)))) return false;
  name.assign(text.data(), strnlen(text.data(), text.size()));
  return true;
}

const std::string* NetNamespaces::interface_name(Reader& reader, base::GuestVirtual name_space,
                                                 std::int32_t index) {
  auto known = names_.find(name_space);
  if (known == names_.end()) {
    known = names_.emplace(name_space, std::map<std::int32_t, std::string>()).first;
    each_interface(reader, name_space, [&](base::GuestVirtual device, std::int32_t number) {
      std::string name;
      if (load_interface_name(reader, device, name)) known->second.emplace(number, std::move(name));
    });
  }
  const auto found = known->second.find(index);
  return found == known->second.end() ? nullptr : &found->second;
}

}  // namespace vitrine::views
