#include <unistd.h>

#include <algorithm>
#include <array>

#include "apps/cli/format.h"
#include "apps/cli/image_facts.h"
#include "apps/cli/json.h"
#include "apps/cli/table.h"
#include "apps/cli/verbs/verb.h"
#include "vitrine/kernel/facts.h"

namespace vitrine::cli {
namespace {

constexpr std::array<views::Column, 3> kFactColumns{{
    {"fact", views::Type::text, "what is known"},
    {"value", views::Type::text, "its value"},
    {"found_by", views::Type::text, "how it was found"},
}};

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

// How it is known that this kernel is the one that runs.
kernel::Finding anchor(const session::Session& session) {
  if (session.kernel().anchored)
    return {"anchor", "vCPU registers", "a vCPU's registers lead to this kernel"};
  if (session.image() != nullptr)
    return {"anchor", "memory alone",
            session.image()->vmcoreinfo.empty() ? "the only kernel in the image"
                                                : "the kernel that the image's VMCOREINFO names"};
  return {"anchor", "memory alone",
          "no registers could be had: the only kernel in memory, or the one whose clock advances"};
}

// What the session knows of the VM that no kernel tells.
std::vector<kernel::Finding> about_vm(const session::Session& session) {
  std::vector<kernel::Finding> findings;
  findings.push_back({"ram_bytes", session.layout().bytes(), session.layout().source});
  for (const vmm::RamRegion& region : session.layout().regions)
    findings.push_back({std::string(kRamAt) + base::to_string(region.start), region.size,
                        region.block + ", " + std::string(vmm::name(region.backing)) + " at " +
                            base::to_string(region.host) + " of the VMM"});
  return findings;
}

Exit show(const VmIdentity& vm, std::span<const kernel::Finding> findings,
          const std::vector<std::string>& warnings, bool json, Exit exit) {
  const Terminal terminal = inspect(STDOUT_FILENO);
  std::vector<Fact> facts;
  facts.reserve(findings.size());
  for (const kernel::Finding& finding : findings) facts.push_back(fact_of(finding));
  if (json) return print(info_json(vm, facts, warnings, json_layout(terminal, false)), exit);
  std::vector<views::Row> rows;
  rows.reserve(facts.size());
  for (const Fact& fact : facts)
    rows.push_back({{std::string(fact.name), shown(fact), fact.found_by}, {}});
  warn(warnings);
  return print(make_table(kFactColumns, rows, {terminal.width, terminal.colour, false}).text, exit);
}

// Of an image in which no kernel was found, at least what the file is.
Exit show_file_alone(const session::ImageSource& source, const base::Error& error, bool json) {
  auto image = images::open_image(source.file, source.chain);
  if (!image || image->kind == images::ImageKind::raw) return report(error, json);
  image->one_instant = image->one_instant || source.one_instant;
  const ManifestCheck manifest = check_manifest(source.file);
  const VmIdentity vm = identity(*image);
  const Exit shown = show(vm, image_facts(*image, manifest), {}, json, Exit::partial);
  report(error, json);
  return shown;
}

Exit show_all(session::Session& session, const Target& target) {
  const kernel::Kernel& kernel = session.kernel();
  std::vector<std::string> warnings = session.warnings();
  std::vector<kernel::Finding> findings = kernel.findings;
  std::ranges::move(kernel::read_facts(kernel, session.memory()), std::back_inserter(findings));
  findings.push_back(anchor(session));
  if (session.image() == nullptr) {
    std::ranges::move(about_vm(session), std::back_inserter(findings));
    return show(identity(session, target.vm), findings, warnings, target.json, Exit::complete);
  }
  const ManifestCheck manifest = check_manifest(session.image()->file);
  std::ranges::move(image_facts(*session.image(), manifest), std::back_inserter(findings));
  const std::string warning = manifest_warning(*session.image(), manifest);
  if (!warning.empty()) warnings.push_back(warning);
  return show(identity(session, target.vm), findings, warnings, target.json,
              warning.empty() ? Exit::complete : Exit::partial);
}

Exit run_info(const Target& target) {
  auto source = find_subject(target.vm);
  if (!source) return report(source.error(), target.json);
  auto session = session::Session::open(*source, target.options());
  if (session) return show_all(**session, target);
  if (source->image() == nullptr || session.error().code == base::Code::invalid)
    return report(session.error(), target.json);
  return show_file_alone(*source->image(), session.error(), target.json);
}

}  // namespace

Verb add_info(CommandLine& line) {
  Command command = line.verb("info", "Show what the guest is, and how each fact was found");
  auto target = std::make_shared<Target>();
  target->add_to(command);
  return {command, [target] { return run_info(*target); }};
}

}  // namespace vitrine::cli
