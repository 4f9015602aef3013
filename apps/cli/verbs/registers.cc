#include <fmt/format.h>

#include <array>
#include <utility>

#include "apps/cli/escape.h"
#include "apps/cli/json_text.h"
#include "apps/cli/verbs/tool.h"
#include "vitrine/views/symbolizer.h"

namespace vitrine::cli {
namespace {

using Json = nlohmann::ordered_json;
using General = memory::X86GeneralRegisters;

using Wide = std::uint64_t General::*;
constexpr auto kWide = std::to_array<std::pair<const char*, Wide>>(
    {{"rip", &General::rip},         {"rflags", &General::rflags},  {"rsp", &General::rsp},
     {"rbp", &General::rbp},         {"rax", &General::rax},        {"rbx", &General::rbx},
     {"rcx", &General::rcx},         {"rdx", &General::rdx},        {"rsi", &General::rsi},
     {"rdi", &General::rdi},         {"r8", &General::r8},          {"r9", &General::r9},
     {"r10", &General::r10},         {"r11", &General::r11},        {"r12", &General::r12},
     {"r13", &General::r13},         {"r14", &General::r14},        {"r15", &General::r15},
     {"fs_base", &General::fs_base}, {"gs_base", &General::gs_base}});
using Selector = std::uint16_t General::*;
constexpr auto kSelectors = std::to_array<std::pair<const char*, Selector>>({{"cs", &General::cs},
                                                                             {"ss", &General::ss},
                                                                             {"ds", &General::ds},
                                                                             {"es", &General::es},
                                                                             {"fs", &General::fs},
                                                                             {"gs", &General::gs}});
using Control = std::uint64_t memory::X86Registers::*;
constexpr auto kControl =
    std::to_array<std::pair<const char*, Control>>({{"cr0", &memory::X86Registers::cr0},
                                                    {"cr3", &memory::X86Registers::cr3},
                                                    {"cr4", &memory::X86Registers::cr4},
                                                    {"efer", &memory::X86Registers::efer},
                                                    {"idt_base", &memory::X86Registers::idt_base}});

// One vCPU's registers by name, in the order in which they are shown.
using Named = std::vector<std::pair<std::string, std::uint64_t>>;

Named named(const session::Registers& registers, std::size_t cpu) {
  Named list;
  for (const auto& [name, member] : kWide)
    list.emplace_back(name, registers.processors[cpu].*member);
  for (const auto& [name, member] : kSelectors)
    list.emplace_back(name, registers.processors[cpu].*member);
  // The two are asked for apart: of another number of vCPUs it cannot be told whose they are.
  if (registers.control.size() == registers.processors.size())
    for (const auto& [name, member] : kControl)
      list.emplace_back(name, registers.control[cpu].*member);
  return list;
}

std::string text_of(std::size_t cpu, const Named& list, const std::string& function) {
  std::string text =
      fmt::format("vCPU {}{}\n", cpu, function.empty() ? "" : " in " + for_terminal(function));
  constexpr std::size_t kPerLine = 4;
  for (std::size_t i = 0; i < list.size(); ++i)
    text += fmt::format("{:>9} {:016x}{}", list[i].first, list[i].second,
                        i % kPerLine == kPerLine - 1 || i + 1 == list.size() ? "\n" : "");
  return text;
}

Exit run_registers(const Target& target) {
  if (target.dry_run) return show_dry_run(target);
  auto tool = Tool::open(target);
  if (!tool) return report(tool.error(), target.json);
  std::string text;
  Json list = Json::array();
  bool same_instant = false;
  auto looked = tool->look([&](memory::PhysicalMemory& memory) -> base::Result<void> {
    const auto registers = tool->session().registers();
    if (!registers) return base::fail(registers.error());
    same_instant = registers->same_instant;
    views::Symbolizer symbols(tool->kernel(), memory);
    for (std::size_t cpu = 0; cpu < registers->processors.size(); ++cpu) {
      const Named values = named(*registers, cpu);
      const std::string function = symbols.text(base::GuestVirtual(registers->processors[cpu].rip));
      text += text_of(cpu, values, function);
      Json one = {{"cpu", cpu}, {"function", function.empty() ? Json() : Json(for_json(function))}};
      for (const auto& [name, value] : values) one[name] = base::to_hex(value);
      list.push_back(std::move(one));
    }
    return {};
  });
  if (!looked) return report(looked.error(), target.json);
  return tool->answer(text, "registers",
                      {{"same_instant", same_instant}, {"processors", std::move(list)}});
}

}  // namespace

Verb add_registers(CommandLine& line) {
  Command command = line.verb("registers", "Show the registers of every vCPU");
  auto target = std::make_shared<Target>();
  target->add_to(command);
  target->add_pause_to(command);
  return {command, [target] { return run_registers(*target); }};
}

}  // namespace vitrine::cli
