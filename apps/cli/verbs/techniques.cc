#include <unistd.h>

#include <array>

#include "apps/cli/json.h"
#include "apps/cli/technique_text.h"
#include "apps/cli/verbs/verb.h"
#include "vitrine/techniques/technique.h"

namespace vitrine::cli {
namespace {

constexpr std::array<views::Column, 10> kTechniqueColumns{{
    {"id", views::Type::text, "what --technique takes"},
    {"class", views::Type::text, "class in the taxonomy"},
    {"effect", views::Type::text, "passive, intrusive or persistent"},
    {"cooperation", views::Type::text, "what must run inside the guest"},
    {"snapshot", views::Type::text, "live memory or a point-in-time copy"},
    {"liveness", views::Type::text, "whether the guest keeps running"},
    {"access", views::Type::text, "how memory is accessed"},
    {"demands", views::Type::text, "what host, hypervisor and guest have to offer"},
    {"usable", views::Type::boolean, "whether it can be used on this VM now"},
    {"why_not", views::Type::text, "why it can't, and how to make it so"},
}};
constexpr std::size_t kWithoutVm = 8;

views::Row row_of(const techniques::Description& about) {
  const auto text = [](std::string_view value) { return views::Value(std::string(value)); };
  return {{text(about.id), text(about.technique_class), text(techniques::name(about.effect)),
           text(about.cooperation), text(about.snapshot), text(about.liveness), text(about.access),
           text(about.demands)},
          {}};
}

struct TechniquesArguments {
  std::string vm;
  bool json = false;
  bool markdown = false;
};

std::vector<views::Row> rows_of_techniques(std::span<const TechniqueEntry> entries) {
  std::vector<views::Row> rows;
  for (const TechniqueEntry& entry : entries) {
    views::Row row = row_of(entry.about);
    if (entry.usable) {
      row.values.emplace_back(entry.usable->has_value());
      row.values.emplace_back();
      if (!*entry.usable) row.values.back() = base::to_string(entry.usable->error());
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Exit run_techniques(const TechniquesArguments& arguments) {
  std::vector<TechniqueEntry> entries;
  for (const techniques::Technique* technique : techniques::all())
    entries.push_back({technique->description(), {}});
  std::optional<VmIdentity> vm;
  if (!arguments.vm.empty()) {
    auto machine = find_machine(arguments.vm, "choosing a technique");
    if (!machine) return report(machine.error(), arguments.json);
    auto layout = session::likely_layout(*machine);
    if (!layout) return report(layout.error(), arguments.json);
    vm = identity(*machine, arguments.vm);
    for (std::size_t i = 0; i < entries.size(); ++i)
      entries[i].usable = techniques::all()[i]->usable(*machine, *layout);
  }
  const Terminal terminal = inspect(STDOUT_FILENO);
  if (arguments.markdown) return print(techniques_markdown(entries));
  if (!arguments.json) return print(techniques_text(entries, terminal.width));
  const std::span<const views::Column> columns(kTechniqueColumns);
  return print(list_json("techniques", vm, vm ? columns : columns.first(kWithoutVm),
                         rows_of_techniques(entries), json_layout(terminal, false)));
}

}  // namespace

Verb add_techniques(CommandLine& line) {
  Command command = line.verb(
      "techniques", "List the ways to read a guest's memory; with a VM, which are usable now");
  auto arguments = std::make_shared<TechniquesArguments>();
  const Option vm = command.option("VM", arguments->vm, "A VM: process id, name or QMP socket");
  const Option json = command.flag("--json", arguments->json, "Print JSON");
  command.flag("--markdown", arguments->markdown, "Print the table for documentation")
      .excludes(vm)
      .excludes(json);
  return {command, [arguments] { return run_techniques(*arguments); }};
}

}  // namespace vitrine::cli
