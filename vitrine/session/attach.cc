#include "vitrine/session/attach.h"

#include <algorithm>
#include <optional>

#include "vitrine/kernel/facts.h"
#include "vitrine/kernel/locate.h"
#include "vitrine/session/held_copies.h"
#include "vitrine/session/hints.h"
#include "vitrine/session/image_attach.h"
#include "vitrine/session/kernel_cache.h"
#include "vitrine/vmm/qmp.h"
#include "vitrine/vmm/registers.h"

namespace vitrine::session {
namespace {

using base::Code;
using base::fail;

constexpr int kMostTries = 3;

// What is known of a VM before its memory is touched.
struct Survey {
  std::vector<vmm::RamLayout> layouts;  // best first
  std::vector<memory::X86Registers> registers;
  std::optional<Hints> hints;  // of the last time, as far as they still fit
  std::vector<std::string> warnings;
};

// Asks the VMM, and lets its monitor go again: another client may be waiting for it.
base::Result<Survey> ask_monitor(const vmm::Machine& machine) {
  auto qmp = vmm::open_qmp(machine);
  if (!qmp) return fail(qmp.error());
  auto layout = vmm::layout_from_monitor(*qmp, machine);
  if (!layout) return fail(layout.error());
  Survey survey;
  survey.layouts.push_back(std::move(*layout));
  if (auto registers = vmm::registers(*qmp)) survey.registers = std::move(*registers);
  return survey;
}

base::Result<Survey> look_around(const vmm::Machine& machine) {
  auto asked = ask_monitor(machine);
  if (asked) return asked;
  auto candidates = vmm::layout_candidates(machine);
  if (!candidates) return fail(candidates.error());
  Survey survey;
  survey.layouts = std::move(*candidates);
  survey.warnings.push_back("the RAM layout was derived from outside, since " +
                            asked.error().message);
  return survey;
}

// What the last attachment left behind, as far as it still fits the VMM; the registers are asked
// for anew, since without them nothing would tell a former kernel's note from the running one's.
std::optional<Survey> recall(const vmm::Machine& machine) {
  auto hints = load_hints(machine);
  if (!hints || hints->layout.regions.empty() || hints->mappings == 0 ||
      hints->mappings != fingerprint_mappings(machine))
    return std::nullopt;
  auto qmp = vmm::open_qmp(machine);
  if (!qmp) return std::nullopt;
  auto registers = vmm::registers(*qmp);
  if (!registers) return std::nullopt;
  Survey survey;
  survey.layouts.push_back(hints->layout);
  survey.registers = std::move(*registers);
  survey.hints = std::move(*hints);
  return survey;
}

// The kernel is the same by whatever technique it is found, so one that is too slow to search all
// of RAM leaves that to a passive one, where any is usable.
std::optional<kernel::Kernel> find_otherwise(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout,
                                             kernel::LocateOptions locate) {
  // The kernel outlives this memory, so it has to know all that it may be asked.
  locate.recall = {};
  auto technique = choose_technique("auto", machine, layout);
  if (!technique) return std::nullopt;
  auto access = (*technique)->open(machine, layout);
  if (!access) return std::nullopt;
  auto kernel = kernel::locate((*access)->memory(), locate);
  if (!kernel) return std::nullopt;
  return std::move(*kernel);
}

base::Result<Attachment> try_layout(const vmm::Machine& machine, const Options& options,
                                    const vmm::RamLayout& layout, const Survey& survey) {
  auto technique = choose_technique(options.technique, machine, layout);
  if (!technique) return fail(technique.error());
  if (auto allowed = check_pause((*technique)->description(), options.pause); !allowed)
    return fail(allowed.error());
  if (auto allowed = check_effect((*technique)->description(), options); !allowed)
    return fail(allowed.error());
  kernel::LocateOptions locate;
  locate.registers = survey.registers;
  if (survey.hints) locate.hint = survey.hints->note;
  if (options.use_cache) locate.recall = load_kernel;
  std::optional<kernel::Kernel> known;
  const bool persistent = (*technique)->description().effect == techniques::Effect::persistent;
  if (persistent || !(*technique)->description().searches)
    known = find_otherwise(machine, layout, locate);
  // Nothing is changed for good in a VM whose guest cannot be understood then.
  if (persistent && !known)
    return fail(Code::absent, "the guest's kernel was not found, so the VM was left as it is",
                "wait until the guest has booted; vitrine info says more");
  const auto before = std::chrono::steady_clock::now();
  auto access = (*technique)->open(machine, layout);
  if (!access) return fail(access.error());
  const auto opening = std::chrono::steady_clock::now() - before;
  if (!known) {
    auto kernel = kernel::locate((*access)->memory(), locate);
    if (!kernel) return fail(kernel.error());
    known = std::move(*kernel);
  }
  Attachment attachment{.layout = layout,
                        .description = &(*technique)->description(),
                        .access = std::move(*access),
                        .kernel = std::move(*known),
                        .opening = opening,
                        .warnings = survey.warnings};
  std::ranges::move(missing_ram(attachment.kernel, attachment.access->memory(), "VMM"),
                    std::back_inserter(attachment.warnings));
  return attachment;
}

// Whether the guest's own page tables and resources fit the layout entirely.
bool fits(const Attachment& attachment, const Survey& survey) {
  return attachment.kernel.space.direct.size != 0 &&
         attachment.warnings.size() == survey.warnings.size();
}

// The first layout that the guest confirms whole, or else the best that it confirms at all.
base::Result<Attachment> try_layouts(const vmm::Machine& machine, const Options& options,
                                     const Survey& survey) {
  std::optional<Attachment> best;
  std::optional<base::Error> error;
  for (const vmm::RamLayout& layout : survey.layouts) {
    auto attachment = try_layout(machine, options, layout, survey);
    if (!attachment) {
      if (!error) error = attachment.error();
      // Rights and techniques do not depend on which guess of the layout is right, and what changes
      // the VM is tried once, whatever comes of it.
      if (options.allow_persistent_change || attachment.error().code == Code::denied ||
          attachment.error().code == Code::gone || attachment.error().code == Code::invalid)
        break;
      continue;
    }
    const bool final = fits(*attachment, survey) || options.allow_persistent_change;
    if (!best || final) best = std::move(*attachment);
    if (final) break;
  }
  if (!best) return fail(*error);
  return std::move(*best);
}

base::Result<Attachment> attach_machine(const vmm::Machine& machine, const Options& options) {
  if (!machine.command_line.confidential.empty())
    return fail(Code::unsupported,
                "the guest's memory is encrypted (" + machine.command_line.confidential +
                    "): the host sees cipher text only",
                "look from inside such a guest; that nobody can look from outside is its purpose");
  // Where it did not fit, a technique that changes the VM would be tried twice.
  if (options.use_cache && !options.allow_persistent_change)
    if (const auto remembered = recall(machine)) {
      auto attachment = try_layout(machine, options, remembered->layouts.front(), *remembered);
      if (attachment && fits(*attachment, *remembered)) {
        attachment->hints = *remembered->hints;
        return attachment;
      }
    }
  // Of before the technique is opened, which may change them.
  const std::uint64_t mappings = fingerprint_mappings(machine);
  auto survey = look_around(machine);
  if (!survey) return fail(survey.error());
  auto attachment = try_layouts(machine, options, *survey);
  // A process whose page tables a vCPU used may have ended before they were read.
  for (int tries = 1;
       tries < kMostTries && !survey->registers.empty() && !options.allow_persistent_change &&
       !attachment && attachment.error().code == Code::inconsistent;
       ++tries) {
    survey = look_around(machine);
    if (!survey) return fail(survey.error());
    attachment = try_layouts(machine, options, *survey);
  }
  if (!attachment) return attachment;
  // A layout that was guessed is guessed again: it costs little, and the monitor may answer then.
  const bool told = !survey->registers.empty();
  attachment->hints = {
      attachment->kernel.note, told ? attachment->layout : vmm::RamLayout{}, mappings, {}};
  if (options.use_cache) store_hints(machine, attachment->hints);
  return attachment;
}

}  // namespace

base::Result<const techniques::Technique*> choose_technique(const std::string& id,
                                                            const vmm::Machine& machine,
                                                            const vmm::RamLayout& layout) {
  return id == "auto" ? techniques::choose(machine, layout, copies_are_held())
                      : techniques::find(id);
}

base::Result<void> check_pause(const techniques::Description& about, Pausing pause) {
  const std::string id(about.id);
  if (pause != Pausing::none && about.needs_running_guest)
    return fail(
        Code::invalid,
        "the technique " + id + " has the guest do the reading, which a paused guest cannot",
        "leave --pause out, or choose another technique");
  if (pause == Pausing::freeze && about.needs_running_vmm)
    return fail(Code::invalid,
                "the technique " + id + " has the VMM do the reading, which a frozen VMM cannot",
                "use --pause=vmm, or choose another technique");
  return {};
}

base::Result<void> check_effect(const techniques::Description& about, const Options& options) {
  if (about.effect != techniques::Effect::persistent || options.allow_persistent_change) return {};
  return fail(Code::invalid,
              "the technique " + std::string(about.id) + " changes the VM for as long as it runs",
              "--dry-run shows how; if that is wanted, add --allow-persistent-change");
}

base::Result<Attachment> attach(const Source& source, const Options& options) {
  return source.machine() != nullptr ? attach_machine(*source.machine(), options)
                                     : attach_image(*source.image(), options);
}

// A module that was plugged in, a wrong guess of the layout, or an image that was cut off.
std::vector<std::string> missing_ram(const kernel::Kernel& kernel, memory::PhysicalMemory& memory,
                                     std::string_view what) {
  std::vector<std::string> missing;
  const auto system_ram = kernel::read_system_ram(kernel, memory);
  if (!system_ram) return missing;
  const auto known = memory.ram();
  for (const memory::Range& range : *system_ram) {
    const bool covered = std::ranges::any_of(known, [&range](const memory::Range& part) {
      return part.contains(range.start, range.size);
    });
    if (!covered)
      missing.push_back("the guest has RAM at " + base::to_string(range.start) + " to " +
                        base::to_string(range.end()) + " that could not be found in the " +
                        std::string(what) + ": what lies there is unreadable");
  }
  return missing;
}

base::Result<vmm::RamLayout> likely_layout(const vmm::Machine& machine) {
  auto survey = look_around(machine);
  if (!survey) return fail(survey.error());
  return std::move(survey->layouts.front());
}

bool still_runs(const vmm::Machine& machine, const Attachment& attachment) {
  auto qmp = vmm::open_qmp(machine);
  if (!qmp) return true;
  auto registers = vmm::registers(*qmp);
  if (!registers) return true;
  return kernel::runs_on(attachment.kernel, *registers, attachment.access->memory());
}

}  // namespace vitrine::session
