#include "vitrine/kernel/type_catalog.h"

#include <bpf/btf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>

#include "vitrine/kernel/member_search.h"

namespace vitrine::kernel {
namespace {

using base::Code;

constexpr int kMostSteps = 32;  // of pointers, arrays and qualifiers in a row
constexpr std::uint64_t kByteBits = 8;

std::string_view name_at(const struct btf* types, std::uint32_t offset) {
  const char* const name = btf__name_by_offset(types, offset);
  return name == nullptr ? std::string_view()
                         : std::string_view(name, strnlen(name, TypeCatalog::max_name_bytes));
}

std::string_view name_of(const struct btf* types, const btf_type* type) {
  return name_at(types, type->name_off);
}

// What a name may be preceded by in C, and the kinds of types that it then means.
struct Word {
  std::string_view word;
  std::array<std::uint32_t, 2> kinds;
};
constexpr std::array<Word, 3> kWords{{
    {"struct ", {BTF_KIND_STRUCT, BTF_KIND_STRUCT}},
    {"union ", {BTF_KIND_UNION, BTF_KIND_UNION}},
    {"enum ", {BTF_KIND_ENUM, BTF_KIND_ENUM64}},
}};

std::string tagged(std::string_view word, std::string_view name) {
  return std::string(word) + (name.empty() ? "(anonymous)" : std::string(name));
}

// Bytes are numbers as a rule (u8); only what is declared as char is text.
TypeKind kind_of_integer(const btf_type* type, std::string_view name) {
  if ((btf_int_encoding(type) & BTF_INT_BOOL) != 0) return TypeKind::boolean;
  return name == "char" ? TypeKind::character : TypeKind::integer;
}

// REQUIRES: no typedef or qualifier.
TypeKind kind_of(const struct btf* types, const btf_type* plain) {
  switch (btf_kind(plain)) {
    case BTF_KIND_INT:
      return kind_of_integer(plain, name_of(types, plain));
    case BTF_KIND_FLOAT:
      return TypeKind::floating;
    case BTF_KIND_PTR:
      return TypeKind::pointer;
    case BTF_KIND_ARRAY:
      return TypeKind::array;
    case BTF_KIND_STRUCT:
      return TypeKind::structure;
    case BTF_KIND_UNION:
      return TypeKind::union_type;
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
      return TypeKind::enumeration;
    case BTF_KIND_FUNC_PROTO:
      return TypeKind::function;
    default:
      return TypeKind::nothing;
  }
}

}  // namespace

base::Result<TypeId> TypeCatalog::find(std::string_view name) const {
  const struct btf* const types = types_->handle();
  const auto by_kind = [types](std::string_view wanted, std::uint32_t kind) {
    const std::string text(wanted);
    const int id = btf__find_by_name_kind(types, text.c_str(), kind);
    return id > 0 ? std::optional(TypeId{static_cast<std::uint32_t>(id)}) : std::nullopt;
  };
  const auto absent =
      base::fail(Code::absent, "this kernel's BTF has no type " + std::string(name));
  for (const Word& word : kWords) {
    if (!name.starts_with(word.word)) continue;
    for (const std::uint32_t kind : word.kinds)
      if (const auto id = by_kind(name.substr(word.word.size()), kind)) return *id;
    return absent;
  }
  constexpr std::array<std::uint32_t, 6> kKinds{BTF_KIND_STRUCT, BTF_KIND_UNION,  BTF_KIND_TYPEDEF,
                                                BTF_KIND_ENUM,   BTF_KIND_ENUM64, BTF_KIND_INT};
  for (const std::uint32_t kind : kKinds)
    if (const auto id = by_kind(name, kind)) return *id;
  return absent;
}

TypeKind TypeCatalog::kind(TypeId type) const {
  const struct btf* const types = types_->handle();
  const std::uint32_t id = MemberSearch(types).plain(type.value);
  const btf_type* const plain = btf__type_by_id(types, id);
  return plain == nullptr || id == 0 ? TypeKind::nothing : kind_of(types, plain);
}

TypeShape TypeCatalog::shape(TypeId type) const {
  const struct btf* const types = types_->handle();
  TypeShape shape;
  shape.plain = TypeId{MemberSearch(types).plain(type.value)};
  const btf_type* const plain = btf__type_by_id(types, shape.plain.value);
  if (plain == nullptr || shape.plain.value == 0) return shape;
  const auto size = MemberSearch(types).size_of(shape.plain.value);
  shape.size = size ? *size : 0;
  shape.kind = kind_of(types, plain);
  if (btf_is_int(plain)) {
    shape.is_signed = (btf_int_encoding(plain) & BTF_INT_SIGNED) != 0;
  } else if (shape.kind == TypeKind::pointer) {
    shape.target = TypeId{plain->type};
  } else if (shape.kind == TypeKind::array) {
    shape.target = TypeId{btf_array(plain)->type};
    shape.count = btf_array(plain)->nelems;
  } else if (shape.kind == TypeKind::enumeration) {
    const auto values = enumerators(shape.plain);
    shape.is_signed = std::ranges::any_of(values, [](const Enumerator& e) { return e.value < 0; });
  }
  return shape;
}

std::string TypeCatalog::text(TypeId type) const { return text(type.value, 0); }

std::string TypeCatalog::text(std::uint32_t id, int depth) const {
  const struct btf* const types = types_->handle();
  const btf_type* const type = btf__type_by_id(types, id);
  if (id == 0) return "void";
  if (type == nullptr || depth == kMostSteps) return "?";
  const std::string_view name = name_of(types, type);
  switch (btf_kind(type)) {
    case BTF_KIND_STRUCT:
      return tagged("struct ", name);
    case BTF_KIND_UNION:
      return tagged("union ", name);
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
      return tagged("enum ", name);
    case BTF_KIND_FWD:
      return tagged(btf_kflag(type) ? "union " : "struct ", name);
    case BTF_KIND_CONST:
      return "const " + text(type->type, depth + 1);
    case BTF_KIND_VOLATILE:
      return "volatile " + text(type->type, depth + 1);
    case BTF_KIND_RESTRICT:
    case BTF_KIND_TYPE_TAG:
      return text(type->type, depth + 1);
    case BTF_KIND_PTR: {
      std::string target = text(type->type, depth + 1);
      if (target.ends_with("()")) return target.insert(target.size() - 2, "(*)");
      return target + (target.ends_with('*') ? "*" : " *");
    }
    case BTF_KIND_ARRAY: {
      const std::uint32_t count = btf_array(type)->nelems;
      const std::string element = text(btf_array(type)->type, depth + 1);
      // The outer bound of several stands first.
      const std::size_t inner = element.ends_with(']') ? element.find('[') : std::string::npos;
      const std::string bound = "[" + (count == 0 ? "" : std::to_string(count)) + "]";
      if (inner == std::string::npos) return element + " " + bound;
      return element.substr(0, inner) + bound + element.substr(inner);
    }
    case BTF_KIND_FUNC_PROTO:
      return text(type->type, depth + 1) + " ()";
    default:
      return name.empty() ? "?" : std::string(name);
  }
}

std::vector<LayoutMember> TypeCatalog::members(TypeId type) const {
  const struct btf* const types = types_->handle();
  const MemberSearch search(types);
  std::vector<LayoutMember> found;
  const btf_type* const structure = btf__type_by_id(types, search.plain(type.value));
  if (structure == nullptr || !btf_is_composite(structure)) return found;
  for (std::uint32_t i = 0; i < btf_vlen(structure); ++i) {
    const btf_member& member = btf_members(structure)[i];
    const std::uint64_t bit = btf_member_bit_offset(structure, i);
    LayoutMember one;
    one.name = name_at(types, member.name_off);
    one.type = TypeId{member.type};
    const auto size = search.size_of(member.type);
    one.size = size ? *size : 0;
    one.offset = bit / kByteBits;
    one.bit_size = btf_member_bitfield_size(structure, i);
    if (one.bit_size != 0) {
      if (one.size == 0 || one.size > sizeof(std::uint64_t)) continue;
      one.offset -= one.offset % one.size;
      one.bit_offset = static_cast<std::uint32_t>(bit - one.offset * kByteBits);
      if (one.bit_offset + one.bit_size > one.size * kByteBits) continue;
    } else if (bit % kByteBits != 0) {
      continue;
    }
    found.push_back(std::move(one));
  }
  return found;
}

std::vector<Enumerator> TypeCatalog::enumerators(TypeId type) const {
  const struct btf* const types = types_->handle();
  std::vector<Enumerator> found;
  const btf_type* const plain = btf__type_by_id(types, MemberSearch(types).plain(type.value));
  if (plain == nullptr) return found;
  const auto add = [&](std::uint32_t name, std::int64_t value) {
    found.push_back({std::string(name_at(types, name)), value});
  };
  for (std::uint32_t i = 0; i < btf_vlen(plain); ++i) {
    if (btf_kind(plain) == BTF_KIND_ENUM)
      add(btf_enum(plain)[i].name_off, btf_enum(plain)[i].val);
    else if (btf_kind(plain) == BTF_KIND_ENUM64)
      add(btf_enum64(plain)[i].name_off,
          static_cast<std::int64_t>(btf_enum64_value(btf_enum64(plain) + i)));
    else
      break;
  }
  return found;
}

}  // namespace vitrine::kernel
