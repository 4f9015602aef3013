// The guest's network namespaces and the interfaces in them: what the views of the network share.
//
// Namespaces are walked along net_namespace_list, and the interfaces of each along dev_base_head;
// writers change them under net_rwsem and the RTNL, RCU readers walk them.
//
// Thread contract: one thread at a time. Cost: 2 loads a namespace; 3 an interface, where asked
// for.
#pragma once

#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/budget.h"
#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

struct NetNamespace {
  base::GuestVirtual at;     // struct net
  std::uint32_t number = 0;  // as /proc/PID/ns/net numbers it
};

class NetNamespaces {
 public:
  // Errors: the symbol that is missing; `at` tells which member is.
  static base::Result<NetNamespaces> attach(const kernel::Kernel& kernel, Resolver& at);

  // Reads the list anew; false where it breaks off or does not end: what was read until then stays.
  bool read(Reader& reader);

  const std::vector<NetNamespace>& list() const { return list_; }

  // The number of a namespace, which need not be in the list: it may be on its way out.
  bool number(Reader& reader, base::GuestVirtual name_space, std::uint32_t& number) const;

  // Calls take(device, index) with the struct net_device of each interface of a namespace. False
  // where the list breaks off or does not end.
  template <class Take>
  bool each_interface(Reader& reader, base::GuestVirtual name_space, Take take);

  // The name of an interface by its number; null where there is none. Those of a namespace are read
  // once, when one of them is first asked for.
  const std::string* interface_name(Reader& reader, base::GuestVirtual name_space,
                                    std::int32_t index);

  bool load_interface_name(Reader& reader, base::GuestVirtual device, std::string& name) const;

 private:
  static constexpr std::size_t kMaxNamespaces = 1U << 16;
  static constexpr std::uint64_t kMaxInterfaces = 1U << 20;  // that a collection looks at
  static constexpr std::size_t kNameSize = 16;               // IFNAMSIZ

  NetNamespaces() = default;

  base::GuestVirtual head_;
  std::uint32_t link_ = 0, number_ = 0, interfaces_ = 0;  // of struct net
  std::uint32_t device_link_ = 0, index_ = 0, name_ = 0;  // of struct net_device
  std::vector<NetNamespace> list_;
  // Ordered: a guest chooses the keys.
  std::map<base::GuestVirtual, std::uint32_t> numbers_;
  std::map<base::GuestVirtual, std::map<std::int32_t, std::string>> names_;
  Budget steps_{kMaxInterfaces};
};

template <class Take>
bool NetNamespaces::each_interface(Reader& reader, base::GuestVirtual name_space, Take take) {
  const base::GuestVirtual head = name_space + interfaces_;
  base::GuestVirtual at;
  CycleGuard guard;
  bool readable = reader.load(head, at.value);
  while (readable && at != head) {
    if (!steps_.spend(1) || guard.closes(at)) return false;
    const base::GuestVirtual device = at - device_link_;
    std::int32_t index = 0;
    readable = reader.load(device + index_, index);
    if (readable) take(device, index);
    readable = readable && reader.load(at, at.value);
  }
  return readable;
}

}  // namespace vitrine::views
