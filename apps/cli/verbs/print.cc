#include <fmt/format.h>

#include "apps/cli/escape.h"
#include "apps/cli/json_text.h"
#include "apps/cli/place.h"
#include "apps/cli/verbs/tool.h"
#include "vitrine/kernel/typed_value.h"
#include "vitrine/views/symbolizer.h"

namespace vitrine::cli {
namespace {

using Json = nlohmann::ordered_json;
using kernel::TypedValue;

struct PrintArguments {
  Target target;
  std::string type;
  std::string address;
  std::string member;
};

template <class... Handlers>
struct Overload : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overload(Handlers...) -> Overload<Handlers...>;

// Writes a value as C writes initialisers, one member a line.
class TextOfValue {
 public:
  explicit TextOfValue(views::Symbolizer& symbols) : symbols_(symbols) {}

  std::string operator()(const TypedValue& value, std::size_t depth = 0) {
    return std::visit(
        Overload{[](std::monostate) { return std::string("{}"); },
                 [](bool truth) { return std::string(truth ? "true" : "false"); },
                 [](const std::string& text) { return '"' + for_terminal(text) + '"'; },
                 [&](const TypedValue::Pointer& pointer) { return pointer_text(pointer); },
                 [](const TypedValue::Enumerated& one) {
                   return one.name.empty()
                              ? std::to_string(one.value)
                              : for_terminal(one.name) + " (" + std::to_string(one.value) + ")";
                 },
                 [](const TypedValue::Missing& missing) {
                   return "? (" + for_terminal(missing.why.message) + ")";
                 },
                 [&](const TypedValue::Group& group) { return group_text(group, depth); },
                 [](auto number) { return std::to_string(number); }},
        value.value);
  }

 private:
  std::string pointer_text(const TypedValue::Pointer& pointer) {
    if (pointer.address == 0) return "NULL";
    const std::string symbol = symbols_.text(base::GuestVirtual(pointer.address));
    return base::to_hex(pointer.address) +
           (symbol.empty() ? "" : " <" + for_terminal(symbol) + ">");
  }

  std::string group_text(const TypedValue::Group& group, std::size_t depth) {
    const std::string indent(2 * (depth + 1), ' ');
    std::string text = group.is_array ? "[\n" : "{\n";
    for (const TypedValue& part : group.parts) {
      text += indent;
      if (!part.name.empty()) text += for_terminal(part.name) + " = ";
      text += (*this)(part, depth + 1) + "\n";
    }
    if (group.left_out > 0) text += fmt::format("{}… {} more\n", indent, group.left_out);
    return text + indent.substr(2) + (group.is_array ? "]" : "}");
  }

  views::Symbolizer& symbols_;
};

// The same as JSON; what could not be read is null, and named in `errors` by its path.
class JsonOfValue {
 public:
  JsonOfValue(views::Symbolizer& symbols, Json& errors) : symbols_(symbols), errors_(errors) {}

  Json operator()(const TypedValue& value, const std::string& path) {
    return std::visit(
        Overload{[](std::monostate) { return Json(); }, [](bool truth) { return Json(truth); },
                 [](const std::string& text) { return Json(for_json(text)); },
                 [&](const TypedValue::Pointer& pointer) {
                   const std::string symbol = symbols_.text(base::GuestVirtual(pointer.address));
                   return Json{{"address", base::to_hex(pointer.address)},
                               {"symbol", symbol.empty() ? Json() : Json(for_json(symbol))}};
                 },
                 [](const TypedValue::Enumerated& one) {
                   return Json{{"value", one.value},
                               {"name", one.name.empty() ? Json() : Json(for_json(one.name))}};
                 },
                 [&](const TypedValue::Missing& missing) {
                   errors_.push_back({{"field", for_json(path)},
                                      {"code", std::string(base::name(missing.why.code))},
                                      {"message", for_json(missing.why.message)}});
                   return Json();
                 },
                 [&](const TypedValue::Group& group) { return group_json(group, path); },
                 [](auto number) { return Json(number); }},
        value.value);
  }

 private:
  Json group_json(const TypedValue::Group& group, const std::string& path) {
    Json json = group.is_array ? Json::array() : Json::object();
    for (std::size_t i = 0; i < group.parts.size(); ++i) {
      const TypedValue& part = group.parts[i];
      if (group.is_array) {
        json.push_back((*this)(part, path + "[" + std::to_string(i) + "]"));
        continue;
      }
      const std::string inner = path + (path.empty() || part.name.empty() ? "" : ".") + part.name;
      Json value = (*this)(part, inner);
      // The members of an anonymous structure are named as if they were those of the outer one.
      if (part.name.empty() && value.is_object())
        json.update(value);
      else if (!part.name.empty())
        json[for_json(part.name)] = std::move(value);
    }
    return json;
  }

  views::Symbolizer& symbols_;
  Json& errors_;
};

base::Result<kernel::LayoutMember> find(const kernel::Types& types,
                                        const kernel::TypeCatalog& catalog,
                                        const PrintArguments& arguments) {
  auto type = catalog.find(arguments.type);
  if (!type) return base::fail(type.error());
  if (arguments.member.empty()) return kernel::LayoutMember{.name = {}, .type = *type};
  auto member = types.member(catalog.shape(*type).plain, arguments.member);
  if (!member) return base::fail(member.error());
  return kernel::LayoutMember{.name = arguments.member,
                              .type = member->type,
                              .offset = member->offset,
                              .size = member->size,
                              .bit_offset = member->bit_offset,
                              .bit_size = member->bit_size};
}

Exit run_print(const PrintArguments& arguments) {
  const bool json = arguments.target.json;
  if (arguments.target.dry_run) return show_dry_run(arguments.target);
  auto tool = Tool::open(arguments.target);
  if (!tool) return report(tool.error(), json);
  const auto types = tool->kernel().types.types();
  if (!types) return report(types.error(), json);
  const kernel::TypeCatalog catalog(**types);
  const auto member = find(**types, catalog, arguments);
  if (!member) return report(member.error(), json);
  const auto place = parse_place(arguments.address, tool->kernel().symbols);
  if (!place) return report(place.error(), json);
  if (place->physical)
    return report({base::Code::invalid, "a structure has a guest-virtual address",
                   "vitrine translate tells those of a physical one"},
                  json);
  const base::GuestVirtual at = base::GuestVirtual(place->address) + member->offset;
  std::string text;
  Json answer = {{"type", for_json(catalog.text(member->type))},
                 {"member", arguments.member.empty() ? Json() : Json(for_json(arguments.member))},
                 {"address", base::to_string(at)}};
  Json errors = Json::array();
  auto looked = tool->look([&](memory::PhysicalMemory& memory) -> base::Result<void> {
    paging::WalkedMemory walked = tool->walked(memory);
    const auto value = kernel::read_value(catalog, walked, *member, at);
    if (!value) return base::fail(value.error());
    views::Symbolizer symbols(tool->kernel(), memory);
    answer["value"] = JsonOfValue(symbols, errors)(*value, "");
    if (!json)
      text = fmt::format("{} at {} = {}\n", for_terminal(value->type), base::to_string(at),
                         TextOfValue(symbols)(*value));
    return {};
  });
  if (!looked) return report(looked.error(), json);
  const Exit exit = errors.empty() ? Exit::complete : Exit::partial;
  if (!errors.empty()) answer["errors"] = std::move(errors);
  return tool->answer(text, "print", std::move(answer), exit);
}

}  // namespace

Verb add_print(CommandLine& line) {
  Command command = line.verb("print", "Show a value in the guest's kernel by its type");
  auto arguments = std::make_shared<PrintArguments>();
  arguments->target.add_to(command);
  arguments->target.add_pause_to(command);
  command.option("TYPE", arguments->type, "Its type, e.g. task_struct or 'unsigned long'")
      .required();
  command
      .option("ADDRESS", arguments->address,
              "Where it is: a guest-virtual address, or a symbol, e.g. init_task, jiffies_64+8")
      .required();
  command.option("MEMBER", arguments->member, "Only this of it, e.g. se.vruntime");
  return {command, [arguments] { return run_print(*arguments); }};
}

}  // namespace vitrine::cli
