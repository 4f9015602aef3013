#include <unistd.h>

#include <algorithm>
#include <array>

#include "apps/cli/format.h"
#include "apps/cli/json.h"
#include "apps/cli/table.h"
#include "apps/cli/verbs/verb.h"
#include "vitrine/kernel/facts.h"

namespace vitrine::cli {
namespace {

constexpr std::array<views::Column, 3> kColumns{{
    {"fact", views::Type::text, "what is known"},
    {"value", views::Type::text, "its value"},
    {"found_by", views::Type::text, "how it was found"},
}};

// Begins the names of the facts that say how much RAM there is at an address.
constexpr std::string_view kRamAt = "ram_at_";

Fact fact_of(const kernel::Finding& finding) {
  Fact fact{.name = finding.fact, .found_by = finding.found_by};
  if (const auto* number = std::get_if<std::uint64_t>(&finding.value)) {
    fact.value = *number;
    const bool bytes = finding.fact.ends_with("_bytes") || finding.fact.starts_with(kRamAt);
    fact.type = bytes                           ? views::Type::bytes
                : finding.fact.ends_with("_ns") ? views::Type::nanoseconds
                                                : views::Type::integer;
  }
  if (const auto* text = std::get_if<std::string>(&finding.value)) fact.value = *text;
  return fact;
}

// Text goes to the table as it is, which makes it harmless; numbers with their unit.
views::Value shown(const Fact& fact) {
  if (fact.type == views::Type::text) return fact.value;
  return cell_text(fact.value, fact.type);
}

// What the session knows that no kernel tells.
std::vector<kernel::Finding> about(const session::Session& session) {
  std::vector<kernel::Finding> findings;
  findings.push_back({"ram_bytes", session.layout().bytes(), session.layout().source});
  for (const vmm::RamRegion& region : session.layout().regions)
    findings.push_back({std::string(kRamAt) + base::to_string(region.start), region.size,
                        region.block + ", " + std::string(vmm::name(region.backing)) + " at " +
                            base::to_string(region.host) + " of the VMM"});
  findings.push_back({"anchor", session.kernel().anchored ? "vCPU registers" : "memory alone",
                      session.kernel().anchored
                          ? "a vCPU's page tables map this kernel"
                          : "no registers could be had: the only kernel in memory, or the one "
                            "whose clock advances"});
  return findings;
}

Exit run(const Target& target) {
  auto session = session::Session::open(target.vm, target.options());
  if (!session) return report(session.error(), target.json);
  const kernel::Kernel& kernel = (*session)->kernel();
  std::vector<kernel::Finding> findings = kernel.findings;
  std::ranges::move(kernel::read_facts(kernel, (*session)->memory()), std::back_inserter(findings));
  std::ranges::move(about(**session), std::back_inserter(findings));

  const Terminal terminal = inspect(STDOUT_FILENO);
  std::vector<Fact> facts;
  facts.reserve(findings.size());
  for (const kernel::Finding& finding : findings) facts.push_back(fact_of(finding));
  if (target.json)
    return print(info_json(identity((*session)->machine(), target.vm), facts,
                           (*session)->warnings(), json_layout(terminal, false)));
  std::vector<views::Row> rows;
  rows.reserve(facts.size());
  for (const Fact& fact : facts)
    rows.push_back({{std::string(fact.name), shown(fact), fact.found_by}, {}});
  warn((*session)->warnings());
  return print(make_table(kColumns, rows, {terminal.width, terminal.colour, false}).text);
}

}  // namespace

Verb add_info(CommandLine& line) {
  Command command = line.verb("info", "Show what the guest is, and how each fact was found");
  auto target = std::make_shared<Target>();
  target->add_to(command);
  return {command, [target] { return run(*target); }};
}

}  // namespace vitrine::cli
