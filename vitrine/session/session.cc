#include "vitrine/session/session.h"

#include <utility>

#include "vitrine/kernel/liveness.h"
#include "vitrine/kernel/locate.h"
#include "vitrine/memory/load.h"
#include "vitrine/session/held_copies.h"
#include "vitrine/session/kernel_cache.h"
#include "vitrine/techniques/saved_registers.h"
#include "vitrine/vmm/registers.h"

namespace vitrine::session {
namespace {

using base::Code;
using base::fail;
using Clock = std::chrono::steady_clock;

// A stop or a copy may catch a writer in the midst of it; each new one costs the guest something.
constexpr std::uint32_t kMostStops = 10;

base::Error rebooted() {
  return {Code::gone, "the guest rebooted while it was watched: its kernel is no longer there",
          "look again once it has booted"};
}

// The cost of a former try, or one that came to nothing.
void add_cost(Observation& to, const Observation& of) {
  to.started = of.started;
  to.duration_ns += of.duration_ns;
  to.stopped_ns += of.stopped_ns;
  to.drained_ns += of.drained_ns;
  to.cost.reads += of.cost.reads;
  to.cost.bytes += of.cost.bytes;
  to.consistency.collects += of.consistency.collects;
}

std::string may_have_changed(const std::vector<std::string>& writers) {
  std::string all;
  for (const std::string& writer : writers) all += (all.empty() ? "" : ", ") + writer;
  return "the guest's memory may have changed although the VM was frozen, by " + all;
}

std::uint64_t elapsed_ns(Clock::time_point since) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - since).count());
}

}  // namespace

base::Result<std::unique_ptr<Session>> Session::open(Source source, const Options& options) {
  memory::FaultRecovery::install();
  auto attachment = attach(source, options);
  if (!attachment) return fail(attachment.error());
  return std::unique_ptr<Session>(new Session(std::move(source), options, std::move(*attachment)));
}

base::Result<std::unique_ptr<Session>> Session::open(std::string_view vm, const Options& options) {
  auto source = find_source(std::string(vm));
  if (!source) return fail(source.error());
  return open(std::move(*source), options);
}

Session::Session(Source source, Options options, Attachment attachment)
    : source_(std::move(source)),
      options_(std::move(options)),
      attachment_(std::move(attachment)),
      stopper_(options_.pause),
      begun_(attachment_.opening) {
  prepare();
}

Session::~Session() { keep_what_was_learned(); }

// Answers of the kernel that were not known yet, and the pieces that an observation needs.
void Session::keep_what_was_learned() {
  const bool evidence = image() != nullptr && image()->evidence != nullptr;
  if (!options_.use_cache || options_.record || evidence || attachment_.access == nullptr) return;
  // Sampling the tables takes some thousand reads more, too many for a slow technique.
  if (attachment_.kernel.answers->grown() && technique().searches)
    if (const auto kept = kernel::recollect(attachment_.kernel, attachment_.access->memory())) {
      store_kernel(*kept);
      attachment_.kernel.answers->set_kept();
    }
  if (machine() == nullptr || !reading_ || attachment_.hints.mappings == 0) return;
  std::vector<memory::Range> pieces = reading_->physical().used();
  // Observations differ a little each time; what misses a few pieces is good enough.
  const std::size_t known = attachment_.hints.pieces.size();
  if (pieces.size() <= known + known / 4 + 8) return;
  attachment_.hints.pieces = std::move(pieces);
  store_hints(*machine(), attachment_.hints);
}

void Session::prepare() {
  recorder_.reset();
  if (options_.record) {
    recorder_ = std::make_unique<memory::RecordingMemory>(attachment_.access->memory());
    attachment_.kernel.answers->keep_all();
  }
  reading_.emplace(attachment_.kernel, memory());
  if (!options_.record) reading_->physical().prefetch(attachment_.hints.pieces);
}

base::Error Session::kernel_gone() const {
  if (!source_.lives()) return {Code::gone, "the VM ended while it was watched"};
  return rebooted();
}

vmm::Intervention* Session::intervention() {
  vmm::Intervention* of_access = attachment_.access->intervention();
  return of_access != nullptr ? of_access : stopper_.intervention();
}

// Takes the copy, or whatever the technique begins with, unless that was done already.
base::Result<void> Session::begin_access() {
  if (attachment_.access == nullptr) return fail(rebooted());
  if (begun_) return {};
  const Clock::time_point before = Clock::now();
  if (auto begun = attachment_.access->begin(); !begun) return begun;
  begun_ = Clock::now() - before;
  return {};
}

// What every observation is wrapped in: the technique's own beginning and end, and the pause.
template <class Collect>
base::Result<Observation> Session::within_access(Stopper& stopper, Collect&& collect) {
  if (auto begun = begin_access(); !begun) return fail(begun.error());
  techniques::Access& access = *attachment_.access;
  const std::chrono::nanoseconds beginning = *std::exchange(begun_, std::nullopt);
  const bool one_instant = technique().one_instant;
  Observation observation;
  observation.started = std::chrono::system_clock::now();
  Clock::time_point begin = Clock::now();
  if (one_instant) {
    // The copy that is looked at was taken, or the guest stopped, as the access began.
    begin -= beginning;
    observation.started -= beginning;
  }
  if (!one_instant && machine() != nullptr) {
    auto stopped = stopper.stop(*machine(), attachment_.layout, access.intervention());
    if (!stopped) return fail(stopped.error());
  }
  const bool stopped = stopper.stopped();
  const bool others_write = stopped && !stopper.writers().empty();
  const bool still = one_instant || (stopped && !others_write);
  if (still) observation.consistency.atomic = consistency::Atomic::proved;
  const base::Result<void> collected = collect(observation, still);
  const auto released = stopper.release();
  if (!released) return fail(released.error());
  observation.stopped_ns += *released;
  observation.drained_ns += stopper.drained_ns();
  if (auto ended = access.end(); !ended) return fail(ended.error());
  if (!collected) return fail(collected.error());
  observation.duration_ns = elapsed_ns(begin);
  observation.stopped_ns += access.stopped_ns();
  observation.drained_ns += access.drained_ns();
  if (others_write) observation.outcome.warnings.push_back(may_have_changed(stopper.writers()));
  return observation;
}

base::Result<Observation> Session::observe_once(views::View& view, Stopper& stopper) {
  return within_access(stopper, [&](Observation& observation, bool still) -> base::Result<void> {
    consistency::Collection collection;
    if (!reading_->collect(view, options_.demand, still, collection)) return fail(kernel_gone());
    observation.outcome = std::move(collection.outcome);
    observation.cost = collection.cost;
    observation.consistency = std::move(collection.verdict);
    return {};
  });
}

// The same through a copy of the VMM, whatever the technique.
base::Result<Observation> Session::observe_copy(views::View& view) {
  if (machine() == nullptr || recorder_)
    return fail(Code::invalid,
                machine() == nullptr ? "a memory image cannot be copied as a VM can"
                                     : "what is read from a copy of the VMM is not recorded",
                "leave --atomic-fallback out");
  auto fork = techniques::find("fork");
  if (!fork) return fail(fork.error());
  Observation observation;
  observation.started = std::chrono::system_clock::now();
  const Clock::time_point begin = Clock::now();
  auto access = (*fork)->open(*machine(), attachment_.layout);
  if (!access) return fail(access.error());
  Reading reading(attachment_.kernel, (*access)->memory());
  consistency::Collection collection;
  if (!reading.collect(view, options_.demand, true, collection)) return fail(kernel_gone());
  if (auto ended = (*access)->end(); !ended) return fail(ended.error());
  observation.outcome = std::move(collection.outcome);
  observation.cost = collection.cost;
  observation.consistency = std::move(collection.verdict);
  observation.duration_ns = elapsed_ns(begin);
  observation.stopped_ns = (*access)->stopped_ns();
  return observation;
}

base::Result<Observation> Session::fall_back(views::View& view) {
  if (options_.fallback == Fallback::fork) return observe_copy(view);
  if (!last_resort_)
    last_resort_.emplace(options_.fallback == Fallback::vmm ? Pausing::vmm : Pausing::freeze);
  return observe_once(view, *last_resort_);
}

base::Result<Observation> Session::observe(views::View& view) {
  using consistency::Atomic;
  using consistency::Quiescent;
  auto observation = observe_once(view, stopper_);
  const bool resorts = options_.fallback != Fallback::none && observation &&
                       observation->consistency.atomic != Atomic::proved;
  for (std::uint32_t stops = 0; observation && stops < kMostStops; ++stops) {
    const consistency::Verdict& verdict = observation->consistency;
    if (consistency::reached(verdict, options_.demand)) break;
    // Of what stands still, only the locks can be otherwise the next time.
    const bool hopeless = verdict.atomic == Atomic::proved ? verdict.quiescent == Quiescent::unknown
                                                           : !resorts || stops > 0;
    if (hopeless) break;
    auto again = resorts ? fall_back(view) : observe_once(view, stopper_);
    if (again) add_cost(*again, *observation);
    observation = std::move(again);
  }
  return observation;
}

base::Result<Observation> Session::observe(const Look& look) {
  return within_access(stopper_, [&](Observation&, bool) -> base::Result<void> {
    if (!reading_->begin()) return fail(kernel_gone());
    return look(memory());
  });
}

// The control registers that an image keeps; a technique's copy keeps none.
std::vector<memory::X86Registers> Session::saved_control() const {
  return image() == nullptr ? std::vector<memory::X86Registers>{} : image()->registers;
}

base::Result<Registers> Session::registers() {
  if (auto* saved = dynamic_cast<techniques::SavedRegisters*>(attachment_.access.get())) {
    auto registers = saved->saved_registers();
    if (registers)
      return Registers{std::move(*registers), saved_control(), technique().one_instant};
  }
  if (machine() == nullptr) return fail(Code::absent, "the image holds no registers");
  const auto ask = [this](vmm::Qmp& qmp) -> base::Result<Registers> {
    auto registers = vmm::general_registers(qmp);
    if (!registers) return fail(registers.error());
    auto control = vmm::registers(qmp);
    return Registers{std::move(*registers),
                     control ? std::move(*control) : std::vector<memory::X86Registers>{},
                     stopper_.stopped()};
  };
  if (options_.pause == Pausing::freeze && stopper_.stopped())
    return fail(Code::unsupported, "a frozen VMM cannot tell its processors' registers",
                "--pause=vmm stops the VM through the monitor that tells them");
  if (intervention() != nullptr) return ask(intervention()->qmp());
  auto qmp = vmm::open_qmp(*machine());
  if (!qmp) return fail(qmp.error());
  return ask(*qmp);
}

base::Result<void> Session::can_hold_copy() const {
  if (dynamic_cast<techniques::CopyHolder*>(attachment_.access.get()) == nullptr)
    return fail(Code::unsupported,
                "the technique " + std::string(technique().id) + " cannot hold a copy",
                "use --technique fork");
  return held_copy_path("").map([](const auto&) {});
}

base::Result<std::unique_ptr<memory::PageChanges>> Session::changes_since(
    std::string_view sha256) const {
  if (auto able = can_hold_copy(); !able) return fail(able.error());
  return dynamic_cast<techniques::CopyHolder&>(*attachment_.access)
      .changes_since(*held_copy_path(sha256));
}

base::Result<void> Session::hold_copy(std::string_view sha256, std::chrono::seconds time) const {
  if (auto able = can_hold_copy(); !able) return able;
  return dynamic_cast<techniques::CopyHolder&>(*attachment_.access)
      .hold(*held_copy_path(sha256), time);
}

base::Result<void> Session::rest() {
  if (attachment_.access == nullptr) return {};
  keep_what_was_learned();
  begun_.reset();
  return attachment_.access->rest();
}

base::Result<void> Session::reattach() {
  keep_what_was_learned();
  // Its readers refer to the old access: they go first. So does it, since attaching asks the
  // monitor, which serves one client at a time and may be held by the access.
  reading_.reset();
  stopper_.reset();
  if (last_resort_) last_resort_->reset();
  attachment_.access.reset();
  auto attachment = attach(source_, options_);
  if (!attachment) return fail(attachment.error());
  attachment_ = std::move(*attachment);
  last_jiffies_.reset();
  begun_ = attachment_.opening;
  prepare();
  return {};
}

base::Result<void> Session::check_alive() {
  if (!source_.lives()) return fail(Code::gone, "the VM ended while it was watched");
  if (attachment_.access == nullptr) return fail(rebooted());
  // A copy that was looked at before tells nothing of now.
  if (technique().one_instant)
    if (auto begun = begin_access(); !begun) return begun;
  memory::PhysicalMemory& memory = attachment_.access->memory();
  memory.begin_observation();
  if (!kernel::still_there(attachment_.kernel, memory)) return fail(rebooted());
  const auto jiffies = kernel::read_jiffies(attachment_.kernel, memory);
  const bool stands_still = jiffies && jiffies == last_jiffies_;
  last_jiffies_ = jiffies;
  if (stands_still && machine() != nullptr && attachment_.kernel.anchored &&
      !still_runs(*machine(), attachment_))
    return fail(rebooted());
  return {};
}

}  // namespace vitrine::session
