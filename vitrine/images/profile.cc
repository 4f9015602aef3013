#include "vitrine/images/profile.h"

#include <span>

#include "vitrine/images/isf.h"
#include "vitrine/images/sequential_output.h"
#include "vitrine/images/system_map.h"
#include "vitrine/kernel/banner.h"
#include "vitrine/kernel/symbol_list.h"
#include "vitrine/kernel/variable_types.h"

namespace vitrine::images {
namespace {

// A kernel without CONFIG_KALLSYMS_ALL lists functions only; where variables are is then known
// from elsewhere (kernel/exports.h).
void add_variables(const kernel::Kernel& kernel, kernel::SymbolList& symbols) {
  const auto names = kernel::VariableTypes::known_names();
  const auto found = kernel.symbols.find(names);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (found[i]) symbols.add(names[i], '?', *found[i]);
}

base::Result<void> write(const kernel::Kernel& kernel, memory::PhysicalMemory& memory,
                         const ProfileRequest& request, kernel::SymbolList& symbols,
                         TextOutput& output, ProfileReport& report) {
  if (request.format == ProfileFormat::system_map) {
    write_system_map(symbols, request.relocated ? 0 : report.kernel_offset, output);
    report.symbols = symbols.size();
    return {};
  }
  const auto types = kernel.types.types();
  if (!types) return base::fail(types.error());
  IsfSource source{.release = kernel.release,
                   .kernel_offset = report.kernel_offset,
                   .producer_version = request.producer_version};
  if (auto banner = kernel::read_banner(kernel, memory))
    source.banner = std::move(*banner);
  else
    report.missing.push_back("Volatility will not recognise the kernel: " +
                             base::to_string(banner.error()));
  const IsfCounts counts = write_isf(source, **types, symbols, output);
  report.symbols = counts.symbols;
  report.user_types = counts.user_types;
  report.enums = counts.enums;
  return {};
}

}  // namespace

base::Result<ProfileReport> write_profile(const kernel::Kernel& kernel,
                                          memory::PhysicalMemory& memory,
                                          const ProfileRequest& request, OutputFile& file) {
  const auto tables = kernel.symbols.symbols();
  if (!tables) return base::fail(tables.error());
  auto symbols = kernel::SymbolList::of(**tables);
  if (!symbols) return base::fail(symbols.error());
  ProfileReport report;
  if (!(*tables)->find("init_task")) {
    report.missing.emplace_back("this kernel's kallsyms lists functions only");
    if (request.format == ProfileFormat::isf) add_variables(kernel, *symbols);
  }
  if (const auto offset = kernel.vmcoreinfo.kernel_offset())
    report.kernel_offset = *offset;
  else if (!request.relocated)
    report.missing.emplace_back(
        "the guest's VMCOREINFO does not tell how far KASLR moved the kernel: addresses are those "
        "of the running one");
  SequentialOutput sequence(file);
  TextOutput output([&sequence](std::string_view block) {
    return sequence.write(sequence.end(), std::as_bytes(std::span(block)));
  });
  if (auto written = write(kernel, memory, request, *symbols, output, report); !written)
    return base::fail(written.error());
  const auto bytes = output.finish();
  if (!bytes) return base::fail(bytes.error());
  auto digest = sequence.finish(*bytes);
  if (!digest) return base::fail(digest.error());
  report.bytes = *bytes;
  report.sha256 = std::move(*digest);
  return report;
}

std::string_view name(ProfileFormat format) {
  return format == ProfileFormat::isf ? "isf" : "system-map";
}

std::optional<ProfileFormat> format_of_name(std::string_view file_name) {
  if (file_name.ends_with(".json")) return ProfileFormat::isf;
  if (file_name.ends_with(".map") || file_name.starts_with("System.map"))
    return ProfileFormat::system_map;
  return std::nullopt;
}

}  // namespace vitrine::images
