#include "vitrine/consistency/guards.h"

#include <utility>

namespace vitrine::consistency {

void Guards::begin(const views::View& view) {
  const auto guards = view.global_guards();
  forget_held();
  if (!locks_) locks_ = Locks::understand(kernel_.types);
  if (guards.data() != declared_.data() || guards.size() != declared_.size()) {
    declared_ = guards;
    globals_.clear();
    globals_understood_ = !guards.empty();
    std::vector<std::string_view> names;
    names.reserve(guards.size());
    for (const views::GlobalGuard& guard : guards) names.push_back(guard.symbol);
    const auto found = kernel_.symbols.find(names);
    for (std::size_t i = 0; i < guards.size(); ++i) {
      const auto& form = locks_->form(guards[i].kind);
      if (found[i] && form)
        globals_.push_back({guards[i].symbol, *found[i], *form});
      else if (found[i] || !guards[i].optional)
        globals_understood_ = false;
    }
  }
  understood_ = globals_understood_;
}

void Guards::add_held(std::string name) {
  if (held_.size() < kMostNames) held_.push_back(std::move(name));
}

}  // namespace vitrine::consistency
