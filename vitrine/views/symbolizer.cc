#include "vitrine/views/symbolizer.h"

namespace vitrine::views {
namespace {

// Where Linux keeps itself and its modules (Documentation/arch/x86/x86_64/mm.rst): nothing below
// has a name.
constexpr std::uint64_t kKernelMap = 0xffff'ffff'8000'0000;

}  // namespace

Symbolizer::Symbolizer(const kernel::Kernel& kernel, memory::PhysicalMemory& memory)
    : kernel_(kernel), gather_(memory), reader_(kernel.space, gather_) {}

std::optional<Function> Symbolizer::find(base::GuestVirtual address) {
  if (address.value < kKernelMap) return std::nullopt;
  if (const auto hit = kernel_.symbols.containing(address))
    return Function{hit->name, hit->offset, 0, {}};
  if (!tried_) {
    tried_ = true;
    reader_.begin();
    if (auto list = ModuleList::attach(kernel_)) {
      modules_.emplace(std::move(*list));
      modules_->read(reader_);
    }
  }
  if (!modules_ || modules_->containing(address) == nullptr) return std::nullopt;
  return modules_->function(reader_, address);
}

std::string Symbolizer::text(base::GuestVirtual address) {
  const auto found = find(address);
  if (!found) return {};
  std::string text = found->name;
  if (found->offset != 0) text += "+" + base::to_hex(found->offset);
  if (!found->module.empty()) text += " [" + found->module + "]";
  return text;
}

}  // namespace vitrine::views
