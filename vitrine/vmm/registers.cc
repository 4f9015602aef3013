#include "vitrine/vmm/registers.h"

#include <charconv>
#include <optional>

#include "vitrine/base/json.h"

namespace vitrine::vmm {
namespace {

using base::Json;

constexpr std::size_t kMaximumProcessors = 4096;

// The hexadecimal number after "LABEL=" at a word's beginning; blanks may stand before the number.
std::optional<std::uint64_t> labelled(std::string_view text, std::string_view label) {
  for (std::size_t at = text.find(label); at != std::string_view::npos;
       at = text.find(label, at + 1)) {
    const bool word = at == 0 || text[at - 1] == ' ' || text[at - 1] == '\n';
    std::string_view rest = text.substr(at + label.size());
    if (!word || !rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), value, 16);
    if (parsed.ec == std::errc{}) return value;
  }
  return std::nullopt;
}

std::optional<memory::X86Registers> parse_processor(std::string_view text) {
  const auto cr0 = labelled(text, "CR0");
  const auto cr3 = labelled(text, "CR3");
  const auto cr4 = labelled(text, "CR4");
  if (!cr0 || !cr3 || !cr4) return std::nullopt;
  memory::X86Registers registers;
  registers.cr0 = *cr0;
  registers.cr3 = *cr3;
  registers.cr4 = *cr4;
  registers.efer = labelled(text, "EFER").value_or(0);
  registers.idt_base = labelled(text, "IDT").value_or(0);
  registers.rip = labelled(text, "RIP").value_or(labelled(text, "EIP").value_or(0));
  return registers;
}

// The base of a segment register: what follows its selector.
std::uint64_t segment_base(std::string_view text, std::string_view label) {
  const std::size_t at = text.find("\n" + std::string(label));
  if (at == std::string_view::npos) return 0;
  const std::size_t equals = text.find('=', at);
  if (equals == std::string_view::npos || equals > at + 4) return 0;
  const std::size_t blank = text.find(' ', equals);
  if (blank == std::string_view::npos) return 0;
  std::uint64_t base = 0;
  (void)std::from_chars(text.data() + blank + 1, text.data() + text.size(), base, 16);
  return base;
}

std::optional<memory::X86GeneralRegisters> parse_general(std::string_view text) {
  if (!labelled(text, "RAX")) return std::nullopt;
  const auto value = [text](std::string_view label) { return labelled(text, label).value_or(0); };
  // QEMU pads short names: "R8 =", "CS =".
  const auto selector = [&](std::string_view label) {
    return static_cast<std::uint16_t>(value(std::string(label) + " "));
  };
  memory::X86GeneralRegisters registers;
  registers.rax = value("RAX");
  registers.rbx = value("RBX");
  registers.rcx = value("RCX");
  registers.rdx = value("RDX");
  registers.rsi = value("RSI");
  registers.rdi = value("RDI");
  registers.rbp = value("RBP");
  registers.rsp = value("RSP");
  registers.r8 = value("R8 ");
  registers.r9 = value("R9 ");
  registers.r10 = value("R10");
  registers.r11 = value("R11");
  registers.r12 = value("R12");
  registers.r13 = value("R13");
  registers.r14 = value("R14");
  registers.r15 = value("R15");
  registers.rip = value("RIP");
  registers.rflags = value("RFL");
  registers.cs = selector("CS");
  registers.ss = selector("SS");
  registers.ds = selector("DS");
  registers.es = selector("ES");
  registers.fs = selector("FS");
  registers.gs = selector("GS");
  registers.fs_base = segment_base(text, "FS");
  registers.gs_base = segment_base(text, "GS");
  return registers;
}

// What `parse` finds for each processor.
template <class Registers>
std::vector<Registers> parse_each(std::string_view text,
                                  std::optional<Registers> (*parse)(std::string_view)) {
  constexpr std::string_view kProcessor = "CPU#";
  std::vector<Registers> list;
  std::size_t at = text.find(kProcessor);
  if (at == std::string_view::npos)
    at = 0;  // older versions print no heading for a single processor
  while (at < text.size() && list.size() < kMaximumProcessors) {
    const std::size_t next = std::min(text.find(kProcessor, at + 1), text.size());
    if (const auto registers = parse(text.substr(at, next - at))) list.push_back(*registers);
    at = next;
  }
  return list;
}

template <class Registers>
base::Result<std::vector<Registers>> ask_for(Qmp& qmp,
                                             std::vector<Registers> (*parse)(std::string_view)) {
  for (const char* command : {"info registers -a", "info registers"}) {
    const auto text = qmp.human_monitor(command);
    if (!text) return base::fail(text.error());
    auto list = parse(*text);
    if (!list.empty()) return list;
  }
  return base::fail(base::Code::unsupported, "QEMU shows no x86 registers for this VM");
}

base::Result<Json> query_monitor(Qmp& qmp, std::string_view command) {
  auto reply = qmp.execute(command);
  if (!reply) return base::fail(reply.error());
  return base::parse_json(*reply);
}

}  // namespace

std::vector<memory::X86Registers> parse_registers(std::string_view text) {
  return parse_each(text, parse_processor);
}

base::Result<std::vector<memory::X86Registers>> registers(Qmp& qmp) {
  return ask_for(qmp, parse_registers);
}

std::vector<memory::X86GeneralRegisters> parse_general_registers(std::string_view text) {
  return parse_each(text, parse_general);
}

base::Result<std::vector<memory::X86GeneralRegisters>> general_registers(Qmp& qmp) {
  return ask_for(qmp, parse_general_registers);
}

base::Result<RunState> run_state(Qmp& qmp) {
  const auto reply = query_monitor(qmp, "query-status");
  if (!reply) return base::fail(reply.error());
  const Json running = reply->is_object() ? reply->value("running", Json()) : Json();
  const Json status = reply->is_object() ? reply->value("status", Json()) : Json();
  if (!running.is_boolean() || !status.is_string()) {
    return base::fail(base::Code::inconsistent, "QMP answered query-status with something else");
  }
  return RunState{running.get<bool>(), status.get<std::string>()};
}

base::Result<std::size_t> processor_count(Qmp& qmp) {
  const auto reply = query_monitor(qmp, "query-cpus-fast");
  if (!reply) return base::fail(reply.error());
  if (!reply->is_array()) {
    return base::fail(base::Code::inconsistent, "QMP answered query-cpus-fast with something else");
  }
  return reply->size();
}

}  // namespace vitrine::vmm
