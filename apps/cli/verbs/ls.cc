#include <unistd.h>

#include <array>

#include "apps/cli/json.h"
#include "apps/cli/table.h"
#include "apps/cli/verbs/verb.h"

namespace vitrine::cli {
namespace {

constexpr std::array<views::Column, 8> kVmColumns{{
    {"pid", views::Type::integer, "process id of the VMM"},
    {"name", views::Type::text, "the VM's name"},
    {"accelerator", views::Type::text, "what runs the guest's processors; null: the VMM's default"},
    {"memory_bytes", views::Type::bytes, "the guest's memory at start, in bytes"},
    {"machine", views::Type::text, "the VMM's machine type; null: its default"},
    {"uuid", views::Type::text, "the VM's UUID"},
    {"qmp", views::Type::text, "the VM's QMP socket, as it can be reached from here"},
    {"source", views::Type::text, "the program that runs it"},
}};

views::Value text_or_null(const std::string& text) {
  return text.empty() ? views::Value() : views::Value(text);
}

views::Row row_of(const vmm::Machine& machine) {
  return {
      {std::int64_t{machine.process.pid}, text_or_null(machine.name),
       text_or_null(machine.accelerator), machine.memory, text_or_null(machine.machine_type),
       text_or_null(machine.uuid), machine.qmp ? views::Value(machine.qmp->path) : views::Value(),
       text_or_null(machine.executable)},
      {}};
}

}  // namespace

Verb add_ls(CommandLine& line) {
  Command command = line.verb("ls", "List the VMs on this host");
  auto json = std::make_shared<bool>(false);
  command.flag("--json", *json, "Print JSON");
  return {
      command, [json] {
        std::vector<views::Row> rows;
        for (const vmm::Machine& machine : vmm::list()) rows.push_back(row_of(machine));
        const Terminal terminal = inspect(STDOUT_FILENO);
        if (*json)
          return print(
              list_json("vms", std::nullopt, kVmColumns, rows, json_layout(terminal, false)));
        if (rows.empty())
          warn({"no QEMU process runs on this host, or none that this user can see"});
        const Table table = make_table(kVmColumns, rows, {terminal.width, terminal.colour, true});
        return print(table.text);
      }};
}

}  // namespace vitrine::cli
