#include "vitrine/kernel/type_names.h"

#include <bpf/btf.h>

#include <algorithm>
#include <cstring>

#include "vitrine/base/address.h"
#include "vitrine/kernel/type_catalog.h"

namespace vitrine::kernel {
namespace {

constexpr int kMostTypedefs = 32;  // of typedefs and qualifiers in a row

bool is_named(const btf_type* type) { return type->name_off != 0; }

}  // namespace

TypeNames::TypeNames(const Types& types) : btf_(types.handle()) {
  const std::uint32_t count = btf__type_cnt(btf_);
  for (std::uint32_t id = 1; id < count; ++id) {
    switch (btf_kind(btf__type_by_id(btf_, id))) {
      case BTF_KIND_INT:
      case BTF_KIND_FLOAT:
        base_.push_back({id});
        break;
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
        composites_.push_back({id});
        break;
      case BTF_KIND_TYPEDEF:
        if (names_anonymous({id})) composites_.push_back({id});
        break;
      case BTF_KIND_ENUM:
      case BTF_KIND_ENUM64:
        enumerations_.push_back({id});
        break;
      default:
        break;
    }
  }
  for (auto* list : {&base_, &composites_, &enumerations_}) sort(*list);
}

std::string_view TypeNames::own_name(TypeId type) const {
  const btf_type* const declared = btf__type_by_id(btf_, type.value);
  const char* const name =
      declared == nullptr ? nullptr : btf__name_by_offset(btf_, declared->name_off);
  if (name == nullptr) return {};
  return {name, strnlen(name, TypeCatalog::max_name_bytes)};
}

bool TypeNames::names_anonymous(TypeId alias) const {
  const btf_type* const type = btf__type_by_id(btf_, alias.value);
  if (type == nullptr || !btf_is_typedef(type) || own_name(alias).empty()) return false;
  const btf_type* const target = btf__type_by_id(btf_, type->type);
  return target != nullptr && btf_is_composite(target) && own_name({type->type}).empty();
}

// Those that define a name go before those that only give one, and then those with lower numbers:
// the first of a name is the one that Types::find_struct finds.
void TypeNames::sort(std::vector<TypeId>& list) const {
  std::ranges::sort(list, [this](TypeId a, TypeId b) {
    const int order = own_name(a).compare(own_name(b));
    if (order != 0) return order < 0;
    const bool a_gives = btf_is_typedef(btf__type_by_id(btf_, a.value));
    const bool b_gives = btf_is_typedef(btf__type_by_id(btf_, b.value));
    return a_gives != b_gives ? b_gives : a.value < b.value;
  });
}

TypeId TypeNames::first(const std::vector<TypeId>& list, std::string_view name) const {
  const auto found =
      std::ranges::lower_bound(list, name, {}, [this](TypeId type) { return own_name(type); });
  return found != list.end() && own_name(*found) == name ? *found : TypeId{};
}

TypeId TypeNames::named(TypeId declared) const {
  for (int step = 0; step < kMostTypedefs; ++step) {
    const btf_type* const type = btf__type_by_id(btf_, declared.value);
    if (type == nullptr) return {};
    switch (btf_kind(type)) {
      case BTF_KIND_TYPEDEF:
        if (names_anonymous(declared)) return declared;
        break;
      case BTF_KIND_CONST:
      case BTF_KIND_VOLATILE:
      case BTF_KIND_RESTRICT:
      case BTF_KIND_TYPE_TAG:
        break;
      case BTF_KIND_FWD: {
        const TypeId definition = first(composites_, own_name(declared));
        const btf_type* const defined = btf__type_by_id(btf_, definition.value);
        const bool is_one = is_named(type) && defined != nullptr && btf_is_composite(defined);
        return is_one ? definition : TypeId{};
      }
      default:
        return declared;
    }
    declared = TypeId{type->type};
  }
  return {};
}

const std::vector<TypeId>* TypeNames::list_of(TypeId type) const {
  const btf_type* const declared = btf__type_by_id(btf_, type.value);
  if (declared == nullptr) return nullptr;
  if (btf_is_composite(declared) || btf_is_typedef(declared)) return &composites_;
  if (btf_is_any_enum(declared)) return &enumerations_;
  const bool is_base = btf_is_int(declared) || btf_is_float(declared);
  return is_base ? &base_ : nullptr;
}

std::string TypeNames::name(TypeId type) const {
  const std::vector<TypeId>* const list = list_of(type);
  if (list == nullptr) return {};
  const std::string_view own = own_name(type);
  const bool of_the_format = list == &base_ && (own == "void" || own == "pointer");
  if (!own.empty() && !of_the_format && first(*list, own) == type) return std::string(own);
  std::string invented(own.empty() ? "unnamed" : own);
  invented += '_' + base::to_hex(type.value).substr(2);
  // Invented names differ in the number; a guest's own name may look like one.
  while (first(*list, invented).value != 0) invented += '_';
  return invented;
}

}  // namespace vitrine::kernel
