// The guest's interrupt lines: their descriptors (struct irq_desc), by the kernel's numbers.
//
// In a maple tree since 6.5 (721255b9826b), before in a radix tree, which is an xarray by another
// name. Writers hold sparse_irq_lock; it is read here without, as RCU readers do.
//
// Thread contract: immutable once attached. Cost: that of the tree.
#pragma once

#include <array>
#include <variant>

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/maple_tree.h"
#include "vitrine/views/xarray.h"

namespace vitrine::views {

class InterruptDescriptors {
 public:
  // Resolves what is needed; `at` tells what is missing. Errors: `unsupported` where no symbol
  // leads to the tree; as MapleTree.
  static base::Result<InterruptDescriptors> attach(const kernel::Kernel& kernel, Resolver& at);

  // Calls `visit(number, descriptor)` for each line there is, with ascending numbers. What is
  // damaged or can't be read is left out, and told at the end.
  template <class Visit>
  WalkEnd walk(Reader& reader, Budget& nodes, Visit&& visit) const;

 private:
  using Tree = std::variant<XArray, MapleTree>;

  InterruptDescriptors(base::GuestVirtual root, const Tree& tree) : root_(root), tree_(tree) {}

  base::GuestVirtual root_;
  Tree tree_;
};

inline base::Result<InterruptDescriptors> InterruptDescriptors::attach(const kernel::Kernel& kernel,
                                                                       Resolver& at) {
  constexpr std::array<std::string_view, 2> kSymbols{"sparse_irqs", "irq_desc_tree"};
  const auto symbols = kernel.symbols.find(kSymbols);
  if (symbols[0]) {
    const auto tree = MapleTree::attach(at);
    if (!tree) return base::fail(tree.error());
    return InterruptDescriptors(*symbols[0], *tree);
  }
  if (symbols[1]) return InterruptDescriptors(*symbols[1], XArray::attach(at));
  return base::fail(base::Code::unsupported,
                    "this kernel's kallsyms does not name its interrupt lines",
                    "the guest's kernel needs CONFIG_KALLSYMS_ALL and CONFIG_SPARSE_IRQ");
}

template <class Visit>
WalkEnd InterruptDescriptors::walk(Reader& reader, Budget& nodes, Visit&& visit) const {
  if (const auto* array = std::get_if<XArray>(&tree_))
    return array->walk(reader, root_, nodes, [&](const XArrayEntry& entry) {
      if (!entry.is_number()) visit(entry.first, base::GuestVirtual(entry.value));
    });
  const auto end = std::get<MapleTree>(tree_).walk(
      reader, root_, nodes,
      [&](std::uint64_t first, std::uint64_t /*last*/, std::uint64_t descriptor) {
        if (!MapleTree::is_mark(descriptor)) visit(first, base::GuestVirtual(descriptor));
        return true;
      });
  if (end == MapleTree::End::unreadable) return WalkEnd::unreadable;
  return end == MapleTree::End::astray ? WalkEnd::astray : WalkEnd::whole;
}

}  // namespace vitrine::views
