#include "vitrine/images/isf_types.h"

#include <fmt/format.h>

#include <set>

#include "vitrine/base/json_string.h"

namespace vitrine::images {
namespace {

using base::json_string;
using kernel::TypeId;
using kernel::TypeKind;
using kernel::TypeShape;

constexpr int kMostSteps = 32;  // of pointers and arrays in a row
constexpr std::string_view kVoid = R"({"kind":"base","name":"void"})";
constexpr std::string_view kFunction = R"({"kind":"function"})";

bool is_composite(TypeKind kind) {
  return kind == TypeKind::structure || kind == TypeKind::union_type;
}

bool is_base(TypeKind kind) {
  return kind == TypeKind::integer || kind == TypeKind::boolean || kind == TypeKind::character ||
         kind == TypeKind::floating;
}

// What the format calls a type that has a name; nothing for any other.
std::string_view word_for(TypeKind kind) {
  if (is_base(kind)) return "base";
  switch (kind) {
    case TypeKind::structure:
      return "struct";
    case TypeKind::union_type:
      return "union";
    case TypeKind::enumeration:
      return "enum";
    default:
      return {};
  }
}

// As debug information has it: what is called a char is a character, u8 among them.
std::string_view kind_of_base(const TypeShape& shape, std::string_view name) {
  if (shape.kind == TypeKind::boolean) return "bool";
  if (shape.kind == TypeKind::floating) return "float";
  return shape.size == 1 && name.ends_with("char") ? "char" : "int";
}

std::string base_type(std::string_view name, std::uint64_t size, bool is_signed,
                      std::string_view kind) {
  return fmt::format(R"({}:{{"size":{},"signed":{},"kind":"{}","endian":"little"}})",
                     json_string(name), size, is_signed, kind);
}

}  // namespace

IsfTypes::IsfTypes(const kernel::Types& types) : catalog_(types), names_(types) {
  for (const TypeId type : names_.base()) {
    const TypeShape shape = catalog_.shape(type);
    if (shape.kind == TypeKind::integer)
      integers_.emplace(SizeAndSign(shape.size, shape.is_signed), names_.name(type));
  }
}

std::string IsfTypes::reference(TypeId declared) const {
  std::string begin;
  std::string end;
  for (int step = 0; step < kMostSteps; ++step) {
    const TypeId named = names_.named(declared);
    const TypeKind kind = catalog_.kind(named);
    if (const std::string_view word = word_for(kind); !word.empty())
      return fmt::format(R"({}{{"kind":"{}","name":{}}}{})", begin, word,
                         json_string(names_.name(named)), end);
    if (kind != TypeKind::pointer && kind != TypeKind::array)
      return begin.append(kind == TypeKind::function ? kFunction : kVoid) + end;
    const TypeShape shape = catalog_.shape(named);
    begin += kind == TypeKind::pointer
                 ? R"({"kind":"pointer","subtype":)"
                 : fmt::format(R"({{"kind":"array","count":{},"subtype":)", shape.count);
    end += '}';
    declared = shape.target;
  }
  return std::string(kVoid);
}

std::string IsfTypes::reference(const kernel::VariableType& variable) const {
  const std::string type = reference(variable.type);
  return variable.pointer ? R"({"kind":"pointer","subtype":)" + type + "}" : type;
}

// A bit field is told by the unit of its declared type in which it lies.
std::string IsfTypes::member(const kernel::LayoutMember& member) const {
  std::string type = reference(member.type);
  if (member.bit_size != 0) {
    const TypeKind kind = catalog_.kind(member.type);
    if (!is_base(kind) && kind != TypeKind::enumeration) return {};
    type = fmt::format(R"({{"kind":"bitfield","bit_length":{},"bit_position":{},"type":{}}})",
                       member.bit_size, member.bit_offset, type);
  }
  return fmt::format(R"("offset":{},"type":{})", member.offset, type);
}

// Members of an anonymous structure are found as if they were of the outer one ("anonymous").
void IsfTypes::write_user_type(TypeId type, TextOutput& output) const {
  const TypeShape shape = catalog_.shape(type);
  output.put(fmt::format(R"({}:{{"kind":"{}","size":{},"fields":{{)",
                         json_string(names_.name(type)), word_for(shape.kind), shape.size));
  std::set<std::string> seen;
  unsigned unnamed = 0;
  for (const kernel::LayoutMember& one : catalog_.members(type)) {
    const bool anonymous = one.name.empty();
    if (anonymous && !is_composite(catalog_.kind(one.type))) continue;
    const std::string name = anonymous ? fmt::format("unnamed_field_{:x}", unnamed++) : one.name;
    const std::string told = member(one);
    if (told.empty() || !seen.insert(name).second) continue;
    output.put(fmt::format("{}{}:{{{}{}}}", seen.size() == 1 ? "" : ",", json_string(name),
                           anonymous ? R"("anonymous":true,)" : "", told));
  }
  output.put("}}");
}

void IsfTypes::write_enum(TypeId type, TextOutput& output) const {
  const TypeShape shape = catalog_.shape(type);
  auto base = integers_.find({shape.size, shape.is_signed});
  if (base == integers_.end()) base = integers_.find({shape.size, !shape.is_signed});
  output.put(fmt::format(R"({}:{{"size":{},"base":{},"constants":{{)",
                         json_string(names_.name(type)), shape.size,
                         json_string(base == integers_.end() ? "void" : base->second)));
  std::set<std::string> seen;
  for (const kernel::Enumerator& one : catalog_.enumerators(type))
    if (seen.insert(one.name).second)
      output.put(
          fmt::format("{}{}:{}", seen.size() == 1 ? "" : ",", json_string(one.name), one.value));
  output.put("}}");
}

// Pointers, and what they lead to where that is unknown, are types of the format, not of C.
void IsfTypes::write_base_types(TextOutput& output) const {
  output.put("\n" + base_type("void", 0, false, "void"));
  output.put(",\n" + base_type("pointer", sizeof(std::uint64_t), false, "int"));
  for (const TypeId type : names_.base()) {
    const TypeShape shape = catalog_.shape(type);
    const std::string name = names_.name(type);
    output.put(",\n" + base_type(name, shape.size,
                                 shape.is_signed || shape.kind == TypeKind::floating,
                                 kind_of_base(shape, name)));
  }
}

void IsfTypes::write_user_types(TextOutput& output) const {
  const char* separator = "\n";
  for (const TypeId type : names_.composites()) {
    if (output.failed()) return;
    output.put(separator);
    write_user_type(type, output);
    separator = ",\n";
  }
}

void IsfTypes::write_enums(TextOutput& output) const {
  const char* separator = "\n";
  for (const TypeId type : names_.enumerations()) {
    if (output.failed()) return;
    output.put(separator);
    write_enum(type, output);
    separator = ",\n";
  }
}

}  // namespace vitrine::images
