#include "vitrine/kernel/member_search.h"

#include <bpf/btf.h>

#include <charconv>
#include <limits>
#include <string>
#include <system_error>

namespace vitrine::kernel {
namespace {

using base::Code;
using base::Result;

constexpr int max_depth = 16;      // of anonymous types within each other
constexpr int max_modifiers = 32;  // in a row
constexpr std::uint64_t byte_bits = 8;

bool is_modifier(const btf_type* type) {
  switch (btf_kind(type)) {
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_CONST:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_TYPE_TAG:
      return true;
    default:
      return false;
  }
}

// Splits "a[1].b" into the step "a[1]" and the rest "b".
std::string_view next_step(std::string_view& path) {
  const std::size_t dot = path.find('.');
  const std::string_view step = path.substr(0, dot);
  path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  return step;
}

}  // namespace

std::uint32_t MemberSearch::plain(std::uint32_t type) const {
  for (int i = 0; i < max_modifiers; ++i) {
    const btf_type* const declared = btf__type_by_id(btf_, type);
    if (declared == nullptr) return 0;
    if (!is_modifier(declared)) return type;
    type = declared->type;
  }
  return 0;
}

Result<std::uint64_t> MemberSearch::size_of(std::uint32_t type) const {
  const auto size = btf__resolve_size(btf_, type);
  if (size < 0) {
    return base::fail(Code::inconsistent,
                      "type " + std::to_string(type) + " of the guest's BTF has no size");
  }
  return static_cast<std::uint64_t>(size);
}

bool MemberSearch::describe_array(Member& member) const {
  const btf_type* const type = btf__type_by_id(btf_, plain(member.type.value));
  if (type == nullptr) return false;
  member.is_array = btf_is_array(type);
  if (!member.is_array) return true;
  const struct btf_array* const array = btf_array(type);
  const auto element = size_of(array->type);
  if (!element) return false;
  member.element_count = array->nelems;
  member.element_size = *element;
  return true;
}

std::optional<Member> MemberSearch::describe(const btf_type& structure, std::uint32_t index) const {
  Member member;
  member.type = TypeId{btf_members(&structure)[index].type};
  const std::uint64_t bit = btf_member_bit_offset(&structure, index);
  const auto size = size_of(member.type.value);
  if (!size) return std::nullopt;
  member.size = *size;
  member.offset = bit / byte_bits;
  member.bit_size = btf_member_bitfield_size(&structure, index);
  if (member.bit_size != 0) {
    if (member.size == 0 || member.size > sizeof(std::uint64_t)) return std::nullopt;
    // The unit of the declared type that holds the field, as the x86-64 ABI lays it out.
    member.offset -= member.offset % member.size;
    member.bit_offset = static_cast<std::uint32_t>(bit - member.offset * byte_bits);
    if (member.bit_offset + member.bit_size > member.size * byte_bits) return std::nullopt;
  } else if (bit % byte_bits != 0) {
    return std::nullopt;
  }
  if (!describe_array(member)) return std::nullopt;
  return member;
}

std::optional<Member> MemberSearch::named_member(std::uint32_t structure, std::string_view name,
                                                 int depth) {
  const btf_type* const type = btf__type_by_id(btf_, structure);
  if (type == nullptr || !btf_is_composite(type) || depth == max_depth) return std::nullopt;
  const btf_member* const members = btf_members(type);
  for (std::uint32_t i = 0; i < btf_vlen(type); ++i) {
    if (budget_ == 0) return std::nullopt;
    --budget_;
    const char* const member_name = btf__name_by_offset(btf_, members[i].name_off);
    if (member_name == nullptr) continue;
    if (name == member_name) return describe(*type, i);
    if (*member_name != '\0') continue;
    auto inner = named_member(plain(members[i].type), name, depth + 1);
    if (!inner) continue;
    inner->offset += btf_member_bit_offset(type, i) / byte_bits;
    return inner;
  }
  return std::nullopt;
}

bool MemberSearch::take_element(Member& member, std::string_view index) const {
  std::uint32_t number = 0;
  const char* const end = index.data() + index.size();
  const auto [stopped, error] = std::from_chars(index.data(), end, number);
  if (error != std::errc{} || stopped != end || !member.is_array) return false;
  // A flexible array ends where the structure's owner says, not where the type does.
  if (member.element_count != 0 && number >= member.element_count) return false;
  const btf_type* const array = btf__type_by_id(btf_, plain(member.type.value));
  std::uint64_t distance = 0;
  if (__builtin_mul_overflow(member.element_size, std::uint64_t{number}, &distance) ||
      distance > std::numeric_limits<std::uint32_t>::max()) {
    return false;
  }
  member.offset += distance;
  member.size = member.element_size;
  member.type = TypeId{btf_array(array)->type};
  member.element_count = 0;
  member.element_size = 0;
  return describe_array(member);
}

Result<Member> MemberSearch::find(TypeId structure, std::string_view structure_name,
                                  std::string_view path) {
  const std::string_view whole = path;
  auto absent = [&] {
    return base::fail(Code::absent, "struct " + std::string(structure_name) + " has no member " +
                                        std::string(whole) + " in this kernel's BTF");
  };
  if (whole.empty() || whole.back() == '.') return absent();
  Member found;
  found.type = structure;
  while (!path.empty()) {
    std::string_view step = next_step(path);
    const std::string_view name = step.substr(0, step.find('['));
    step.remove_prefix(name.size());
    if (name.empty()) return absent();
    const auto inner = named_member(plain(found.type.value), name, 0);
    if (!inner) return absent();
    const std::uint64_t outer_offset = found.offset;
    found = *inner;
    found.offset += outer_offset;
    while (!step.empty()) {
      const std::size_t close = step.find(']');
      if (step.front() != '[' || close == std::string_view::npos) return absent();
      if (!take_element(found, step.substr(1, close - 1))) return absent();
      step.remove_prefix(close + 1);
    }
  }
  return found;
}

}  // namespace vitrine::kernel
