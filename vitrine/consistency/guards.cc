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

std::optional<bool> Guards::is_free(views::Reader& reader, base::GuestVirtual lock,
                                    const LockForm& form) {
  if (form.size == 4) {
    std::uint32_t word = 0;
    if (!reader.load_ignoring(lock + form.offset, word, ~form.compared)) return std::nullopt;
    return !form.held(word);
  }
  std::uint64_t word = 0;
  if (!reader.load_ignoring(lock + form.offset, word, ~form.compared)) return std::nullopt;
  return !form.held(word);
}

bool Guards::global_free(views::Reader& reader) {
  bool all = globals_understood_;
  for (const Global& global : globals_) {
    const auto free = is_free(reader, global.at, global.form);
    if (free && !*free) add_held(std::string(global.name));
    all = all && free.value_or(false);
  }
  return all;
}

bool Guards::objects_free(views::Reader& reader, const views::View& view) {
  objects_.clear();
  view.add_object_guards(objects_);
  bool all = true;
  for (const views::ObjectGuard& object : objects_) {
    const auto& form = locks_->form(object.kind);
    understood_ = understood_ && form.has_value();
    const auto free = form ? is_free(reader, object.at, *form) : std::nullopt;
    if (free && !*free)
      add_held(std::string(object.name) + " of process " + std::to_string(object.process));
    all = all && free.value_or(false);
  }
  return all;
}

}  // namespace vitrine::consistency
