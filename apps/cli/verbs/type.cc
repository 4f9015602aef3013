#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "apps/cli/escape.h"
#include "apps/cli/json_text.h"
#include "apps/cli/table.h"
#include "apps/cli/verbs/tool.h"
#include "vitrine/kernel/type_catalog.h"

namespace vitrine::cli {
namespace {

using Json = nlohmann::ordered_json;
using kernel::LayoutMember;
using kernel::TypeCatalog;
using kernel::TypeId;
using kernel::TypeKind;

constexpr int kMostDepth = 24;  // of anonymous types within each other
constexpr std::size_t kMostRows = 100'000;

constexpr std::array<views::Column, 4> kMemberColumns{{
    {"offset", views::Type::integer, "bytes from the beginning of the outermost structure"},
    {"size", views::Type::text, "bytes, or the bits of a bit field"},
    {"type", views::Type::text, "as C writes it"},
    {"member", views::Type::text, "its name; those of an anonymous structure stand below it"},
}};

struct TypeArguments {
  Target target;
  std::string type;
};

std::string_view name(TypeKind kind) {
  constexpr std::array<std::string_view, 11> kNames{"nothing",  "integer", "boolean", "character",
                                                    "floating", "pointer", "array",   "struct",
                                                    "union",    "enum",    "function"};
  return kNames.at(static_cast<std::size_t>(kind));
}

bool is_composite(TypeKind kind) {
  return kind == TypeKind::structure || kind == TypeKind::union_type;
}

void add_rows(const TypeCatalog& types, TypeId type, std::uint64_t base, int depth,
              std::vector<views::Row>& rows) {
  for (const LayoutMember& member : types.members(type)) {
    if (rows.size() >= kMostRows) return;
    const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
    const std::string size = member.bit_size == 0
                                 ? std::to_string(member.size)
                                 : fmt::format("{} at bit {}", member.bit_size, member.bit_offset);
    rows.push_back(
        {{base + member.offset, size, types.text(member.type), indent + member.name}, {}});
    if (member.name.empty() && depth < kMostDepth)
      add_rows(types, member.type, base + member.offset, depth + 1, rows);
  }
}

Json members_json(const TypeCatalog& types, TypeId type, std::uint64_t base, int depth,
                  std::size_t& left) {
  Json members = Json::array();
  for (const LayoutMember& member : types.members(type)) {
    if (left == 0) break;
    --left;
    Json one = {{"name", member.name.empty() ? Json() : Json(for_json(member.name))},
                {"type", for_json(types.text(member.type))},
                {"offset_bytes", base + member.offset},
                {"size_bytes", member.size}};
    if (member.bit_size != 0) {
      one["bit_offset"] = member.bit_offset;
      one["bit_size"] = member.bit_size;
    }
    if (member.name.empty() && depth < kMostDepth)
      one["members"] = members_json(types, member.type, base + member.offset, depth + 1, left);
    members.push_back(std::move(one));
  }
  return members;
}

Json enumerators_json(const TypeCatalog& types, TypeId type) {
  Json list = Json::array();
  for (const kernel::Enumerator& one : types.enumerators(type))
    list.push_back({{"name", for_json(one.name)}, {"value", one.value}});
  return list;
}

// A type, or the member of one that the user named.
struct Shown {
  std::string path;  // of the member; empty: the type itself
  TypeId type;
  std::uint64_t offset = 0;  // of the member
};

std::string text_of(const TypeCatalog& types, const Shown& shown) {
  const kernel::TypeShape shape = types.shape(shown.type);
  std::string text = for_terminal(types.text(shown.type));
  const std::string plain = for_terminal(types.text(shape.plain));
  if (plain != text) text += " = " + plain;
  if (!shown.path.empty())
    text = fmt::format("{}: {}, at offset {}", for_terminal(shown.path), text, shown.offset);
  text += fmt::format(", {} bytes\n", shape.size);
  if (shape.kind == TypeKind::enumeration)
    for (const kernel::Enumerator& one : types.enumerators(shape.plain))
      text += fmt::format("{:>6}  {}\n", one.value, for_terminal(one.name));
  if (!is_composite(shape.kind)) return text;
  std::vector<views::Row> rows;
  add_rows(types, shape.plain, shown.offset, 0, rows);
  const Terminal terminal = inspect(STDOUT_FILENO);
  return text + make_table(kMemberColumns, rows, {terminal.width, terminal.colour, false}).text;
}

Json json_of(const TypeCatalog& types, const Shown& shown) {
  const kernel::TypeShape shape = types.shape(shown.type);
  Json type = {{"name", for_json(types.text(shown.type))},
               {"kind", std::string(name(shape.kind))},
               {"size_bytes", shape.size},
               {"member", shown.path.empty() ? Json() : Json(for_json(shown.path))},
               {"offset_bytes", shown.offset}};
  std::size_t left = kMostRows;
  if (is_composite(shape.kind))
    type["members"] = members_json(types, shape.plain, shown.offset, 0, left);
  if (shape.kind == TypeKind::enumeration)
    type["enumerators"] = enumerators_json(types, shape.plain);
  return type;
}

base::Result<Shown> find(const kernel::Types& types, const TypeCatalog& catalog,
                         const std::string& wanted) {
  const std::size_t dot = wanted.find('.');
  auto type = catalog.find(std::string_view(wanted).substr(0, dot));
  if (!type) return base::fail(type.error());
  if (dot == std::string::npos) return Shown{{}, *type, 0};
  const TypeId structure = catalog.shape(*type).plain;
  auto member = types.member(structure, std::string_view(wanted).substr(dot + 1));
  if (!member) return base::fail(member.error());
  return Shown{wanted, member->type, member->offset};
}

Exit run_type(const TypeArguments& arguments) {
  const bool json = arguments.target.json;
  auto tool = Tool::open(arguments.target);
  if (!tool) return report(tool.error(), json);
  const auto types = tool->kernel().types.types();
  if (!types) return report(types.error(), json);
  const TypeCatalog catalog(**types);
  const auto shown = find(**types, catalog, arguments.type);
  if (!shown) return report(shown.error(), json);
  return tool->answer(json ? "" : text_of(catalog, *shown), "type", json_of(catalog, *shown));
}

}  // namespace

Verb add_type(CommandLine& line) {
  Command command = line.verb("type", "Show how a type of the guest's kernel is laid out");
  auto arguments = std::make_shared<TypeArguments>();
  arguments->target.add_to(command);
  command
      .option("TYPE", arguments->type,
              "e.g. task_struct, task_struct.se, 'enum pid_type', pid_t; a structure's members "
              "with their offsets")
      .required();
  return {command, [arguments] { return run_type(*arguments); }};
}

}  // namespace vitrine::cli
