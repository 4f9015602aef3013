#include "vitrine/vmm/registers.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace vitrine::vmm {
namespace {

using Json = nlohmann::json;

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

base::Result<Json> query(Qmp& qmp, std::string_view command) {
  auto reply = qmp.execute(command);
  if (!reply) return base::fail(reply.error());
  return Json::parse(*reply, nullptr, /*allow_exceptions=*/false);
}

}  // namespace

std::vector<memory::X86Registers> parse_registers(std::string_view text) {
  constexpr std::string_view kProcessor = "CPU#";
  std::vector<memory::X86Registers> list;
  std::size_t at = text.find(kProcessor);
  if (at == std::string_view::npos)
    at = 0;  // older versions print no heading for a single processor
  while (at < text.size() && list.size() < kMaximumProcessors) {
    const std::size_t next = std::min(text.find(kProcessor, at + 1), text.size());
    if (const auto registers = parse_processor(text.substr(at, next - at))) {
      list.push_back(*registers);
    }
    at = next;
  }
  return list;
}

base::Result<std::vector<memory::X86Registers>> registers(Qmp& qmp) {
  std::vector<memory::X86Registers> list;
  for (const char* command : {"info registers -a", "info registers"}) {
    const auto text = qmp.human_monitor(command);
    if (!text) return base::fail(text.error());
    list = parse_registers(*text);
    if (!list.empty()) return list;
  }
  return base::fail(base::Code::unsupported, "QEMU shows no x86 control registers for this VM");
}

base::Result<RunState> run_state(Qmp& qmp) {
  const auto reply = query(qmp, "query-status");
  if (!reply) return base::fail(reply.error());
  const Json running = reply->is_object() ? reply->value("running", Json()) : Json();
  const Json status = reply->is_object() ? reply->value("status", Json()) : Json();
  if (!running.is_boolean() || !status.is_string()) {
    return base::fail(base::Code::inconsistent, "QMP answered query-status with something else");
  }
  return RunState{running.get<bool>(), status.get<std::string>()};
}

base::Result<std::size_t> processor_count(Qmp& qmp) {
  const auto reply = query(qmp, "query-cpus-fast");
  if (!reply) return base::fail(reply.error());
  if (!reply->is_array()) {
    return base::fail(base::Code::inconsistent, "QMP answered query-cpus-fast with something else");
  }
  return reply->size();
}

}  // namespace vitrine::vmm
