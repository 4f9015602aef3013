#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "apps/cli/escape.h"
#include "apps/cli/format.h"
#include "apps/cli/json_text.h"
#include "apps/cli/place.h"
#include "apps/cli/table.h"
#include "apps/cli/verbs/tool.h"
#include "vitrine/paging/walk_trace.h"
#include "vitrine/views/symbolizer.h"

namespace vitrine::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<views::Column, 4> kWalkColumns{{
    {"table", views::Type::text, "Linux's name of the level"},
    {"entry_at", views::Type::address, "where the entry is, guest-physical"},
    {"entry", views::Type::address, "as it was read"},
    {"flags", views::Type::text, "what it says of what it leads to"},
}};

struct TranslateArguments {
  Target target;
  std::string address;
};

// One address, and what is known of it.
struct Answer {
  std::optional<base::GuestVirtual> address;    // nothing: a physical one that nothing maps
  std::optional<base::GuestPhysical> physical;  // nothing: it is not mapped
  std::string lies_in;                          // in words; hostile text
  paging::WalkTrace trace;
};

bool within(const paging::LinearMap& map, base::GuestVirtual at) {
  return at - map.start < map.size;
}

std::string lies_in(const kernel::Kernel& kernel, views::Symbolizer& symbols,
                    base::GuestVirtual at) {
  const paging::AddressSpace& space = kernel.space;
  const std::string symbol = symbols.text(at);
  if (within(space.image, at)) return "the kernel image" + (symbol.empty() ? "" : ": " + symbol);
  if (!symbol.empty()) return symbol;
  if (within(space.direct, at)) return "the direct map of all RAM";
  if (static_cast<std::int64_t>(at.value) >= 0)
    return "the half of processes: the kernel's own tables, which were walked, map none of theirs";
  return "the kernel's half";
}

// Where the kernel maps a physical address linearly.
std::optional<base::GuestVirtual> mapped_at(const kernel::Kernel& kernel, base::GuestPhysical at) {
  for (const paging::LinearMap& map : {kernel.space.image, kernel.space.direct})
    if (map.size != 0 && at - map.physical < map.size) return map.start + (at - map.physical);
  return std::nullopt;
}

Answer explain(const kernel::Kernel& kernel, memory::PhysicalMemory& memory, const Place& place) {
  Answer answer;
  views::Symbolizer symbols(kernel, memory);
  if (place.physical) {
    answer.physical = base::GuestPhysical(place.address);
    answer.address = mapped_at(kernel, *answer.physical);
    const bool in_ram = std::ranges::any_of(memory.ram(), [&](const memory::Range& range) {
      return range.contains(*answer.physical, 1);
    });
    if (!in_ram) answer.lies_in = "no RAM of the guest";
  } else {
    answer.address = base::GuestVirtual(place.address);
  }
  if (!answer.address) return answer;
  if (answer.lies_in.empty()) answer.lies_in = lies_in(kernel, symbols, *answer.address);
  answer.trace =
      paging::trace_walk(*kernel.space.format, kernel.space.root, *answer.address, memory);
  if (answer.trace.fault == paging::Fault::none && !place.physical)
    answer.physical = answer.trace.translation.address;
  return answer;
}

std::string text_of(const Answer& answer, const paging::Format& format) {
  std::vector<views::Row> rows;
  for (const paging::WalkStep& step : answer.trace.steps)
    rows.push_back({{std::string(step.table), step.at.value, step.entry,
                     paging::flags_text(format, step.entry)},
                    {}});
  std::string text;
  if (!rows.empty())
    text = make_table(kWalkColumns, rows, {inspect(STDOUT_FILENO).width, false, false}).text;
  text += fmt::format("virtual   {}\n",
                      answer.address ? base::to_string(*answer.address) : "not mapped linearly");
  text += fmt::format("physical  {}\n", answer.physical ? base::to_string(*answer.physical)
                                                        : std::string(name(answer.trace.fault)));
  if (answer.address && answer.trace.fault == paging::Fault::none)
    text += fmt::format("page      {}\n", size_text(answer.trace.translation.page_size));
  if (!answer.lies_in.empty()) text += fmt::format("lies in   {}\n", for_terminal(answer.lies_in));
  return text;
}

Json json_of(const Answer& answer, const paging::Format& format) {
  Json walk = Json::array();
  for (const paging::WalkStep& step : answer.trace.steps)
    walk.push_back({{"table", std::string(step.table)},
                    {"entry_at", base::to_string(step.at)},
                    {"entry", base::to_hex(step.entry)},
                    {"flags", paging::flags_text(format, step.entry)},
                    {"leaf", step.leaf}});
  const bool mapped = answer.address && answer.trace.fault == paging::Fault::none;
  return {
      {"virtual", answer.address ? Json(base::to_string(*answer.address)) : Json()},
      {"physical", answer.physical ? Json(base::to_string(*answer.physical)) : Json()},
      {"page_bytes", mapped ? Json(answer.trace.translation.page_size) : Json()},
      {"fault", answer.address && !mapped ? Json(std::string(name(answer.trace.fault))) : Json()},
      {"lies_in", answer.lies_in.empty() ? Json() : Json(for_json(answer.lies_in))},
      {"walk", std::move(walk)}};
}

Exit run_translate(const TranslateArguments& arguments) {
  const bool json = arguments.target.json;
  if (arguments.target.dry_run) return show_dry_run(arguments.target);
  auto tool = Tool::open(arguments.target);
  if (!tool) return report(tool.error(), json);
  const auto place = parse_place(arguments.address, tool->kernel().symbols);
  if (!place) return report(place.error(), json);
  Answer answer;
  auto looked = tool->look([&](memory::PhysicalMemory& memory) -> base::Result<void> {
    answer = explain(tool->kernel(), memory, *place);
    return {};
  });
  if (!looked) return report(looked.error(), json);
  const paging::Format& format = *tool->kernel().space.format;
  return tool->answer(text_of(answer, format), "translate", json_of(answer, format));
}

}  // namespace

Verb add_translate(CommandLine& line) {
  Command command = line.verb(
      "translate", "Walk the kernel's page tables for an address, and say what it lies in");
  auto arguments = std::make_shared<TranslateArguments>();
  arguments->target.add_to(command);
  arguments->target.add_pause_to(command);
  command
      .option("ADDRESS", arguments->address,
              "A guest-virtual address, a symbol, or phys: and a guest-physical address")
      .required();
  return {command, [arguments] { return run_translate(*arguments); }};
}

}  // namespace vitrine::cli
