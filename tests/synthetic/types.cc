#include "tests/synthetic/types.h"

#include <algorithm>
#include <stdexcept>

namespace vitrine::synthetic {
namespace {

constexpr std::string_view struct_prefix = "struct ";

std::uint32_t round_up(std::uint32_t value, std::uint32_t to) { return (value + to - 1) / to * to; }

bool is_pointer(std::string_view type) { return type.ends_with('*'); }
bool is_array(std::string_view type) { return type.ends_with(']'); }
std::string_view element_of(std::string_view array) { return array.substr(0, array.rfind('[')); }
std::uint32_t count_of(std::string_view array) {
  return static_cast<std::uint32_t>(std::stoul(std::string(array.substr(array.rfind('[') + 1))));
}

}  // namespace

void Types::add_integer(std::string name, std::uint32_t size, bool is_signed) {
  integers_[std::move(name)] = {size, is_signed};
}

void Types::add_typedef(std::string name, std::string target) {
  typedefs_[std::move(name)] = std::move(target);
}

void Types::add_struct(const std::string& name, const std::vector<Field>& fields) {
  Struct made;
  std::uint32_t widest = 1;
  for (const Field& field : fields) {
    const std::uint32_t align = alignment(field.type);
    widest = std::max(widest, align);
    made.members.push_back({field.name, field.type, round_up(made.size, align)});
    made.size = made.members.back().offset + size(field.type);
  }
  made.size = round_up(made.size, widest);
  structs_[name] = std::move(made);
}

void Types::add_spread(const std::string& name, std::vector<Field> fields, std::uint32_t size_bytes,
                       std::uint32_t first, std::uint32_t last) {
  if (seed_ != 0) std::shuffle(fields.begin(), fields.end(), random_);
  Struct made{size_bytes, {}};
  std::uint32_t needed = 0;
  std::uint32_t moving = 0;
  for (const Field& field : fields) {
    if (field.at) continue;
    needed += round_up(size(field.type), 8);
    ++moving;
  }
  if (first + needed > last) throw std::logic_error("synthetic guest: " + name);
  const std::uint32_t gap = (last - first - needed) / std::max(moving, 1U) / 8 * 8;
  std::uint32_t next = first;
  for (const Field& field : fields) {
    made.members.push_back({field.name, field.type, field.at.value_or(next)});
    if (!field.at) next += round_up(size(field.type), 8) + gap;
  }
  std::sort(made.members.begin(), made.members.end(),
            [](const Member& a, const Member& b) { return a.offset < b.offset; });
  structs_[name] = std::move(made);
}

void Types::add_anonymous_enum(std::vector<std::pair<std::string, int>> values) {
  enums_.push_back(std::move(values));
}

std::uint32_t Types::size(std::string_view type) const {
  if (is_pointer(type)) return 8;
  if (is_array(type)) return size(element_of(type)) * count_of(type);
  if (type.starts_with(struct_prefix))
    return structs_.at(std::string(type.substr(struct_prefix.size()))).size;
  if (const auto alias = typedefs_.find(type); alias != typedefs_.end()) return size(alias->second);
  return integers_.at(std::string(type)).size;
}

std::uint32_t Types::alignment(std::string_view type) const {
  if (is_pointer(type)) return 8;
  if (is_array(type)) return alignment(element_of(type));
  if (type.starts_with(struct_prefix)) {
    std::uint32_t widest = 1;
    for (const Member& member : structs_.at(std::string(type.substr(struct_prefix.size()))).members)
      widest = std::max(widest, alignment(member.type));
    return widest;
  }
  if (const auto alias = typedefs_.find(type); alias != typedefs_.end())
    return alignment(alias->second);
  return size(type);
}

std::optional<Place> Types::find(const Struct& in, std::string_view member) const {
  for (const Member& each : in.members) {
    if (each.name == member) return Place{each.offset, each.type};
    if (!each.name.empty()) continue;
    const auto inner = find(structs_.at(each.type.substr(struct_prefix.size())), member);
    if (inner) return Place{each.offset + inner->offset, inner->type};
  }
  return std::nullopt;
}

Place Types::place(const std::string& struct_name, std::string_view path) const {
  const std::string_view head = path.substr(0, path.find('.'));
  const auto found = find(structs_.at(struct_name), head);
  if (!found)
    throw std::out_of_range("synthetic guest: no " + struct_name + "." + std::string(head));
  if (head.size() == path.size()) return *found;
  std::string type = found->type;
  while (typedefs_.contains(type)) type = typedefs_.at(type);
  Place inner = place(type.substr(struct_prefix.size()), path.substr(head.size() + 1));
  inner.offset += found->offset;
  return inner;
}

}  // namespace vitrine::synthetic
