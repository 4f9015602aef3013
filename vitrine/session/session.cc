#include "vitrine/session/session.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "vitrine/kernel/liveness.h"
#include "vitrine/kernel/locate.h"
#include "vitrine/memory/load.h"

namespace vitrine::session {
namespace {

using base::Code;
using base::fail;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kSentinelWords = 6;

base::Error rebooted() {
  return {Code::gone, "the guest rebooted while it was watched: its kernel is no longer there",
          "look again once it has booted"};
}

std::uint64_t elapsed_ns(Clock::time_point since) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - since).count());
}

}  // namespace

base::Result<std::unique_ptr<Session>> Session::open(std::string_view vm, const Options& options) {
  memory::FaultRecovery::install();
  auto machine = vmm::find(std::string(vm));
  if (!machine) return fail(machine.error());
  auto attachment = attach(*machine, options);
  if (!attachment) return fail(attachment.error());
  return std::unique_ptr<Session>(
      new Session(std::move(*machine), options, std::move(*attachment)));
}

Session::Session(vmm::Machine machine, Options options, Attachment attachment)
    : machine_(std::move(machine)),
      options_(std::move(options)),
      attachment_(std::move(attachment)) {
  prepare();
}

// The readers for this access, and the words by which a reboot is noticed: the beginning of the
// VMCOREINFO note (release), spread over its text (KASLR offsets).
void Session::prepare() {
  memory::PhysicalMemory& memory = attachment_.access->memory();
  const paging::AddressSpace& space = attachment_.kernel.space;
  windowed_.reset();
  gathering_.reset();
  if (auto* windows = dynamic_cast<memory::Windows*>(&memory)) {
    readers_.window.emplace(windows->windows());
    windowed_.emplace(space, *readers_.window);
  } else {
    readers_.gather.emplace(memory);
    gathering_.emplace(space, *readers_.gather);
  }
  sentinels_.clear();
  const std::uint64_t length = attachment_.kernel.vmcoreinfo.text().size();
  for (std::size_t i = 0; i < kSentinelWords; ++i) {
    // Within the note's first page: notes are about 3 KB, and their text begins after the header.
    const std::uint64_t offset = 24 + std::min<std::uint64_t>(length, 3000) * i / kSentinelWords;
    Sentinel sentinel{attachment_.kernel.note + offset / 8 * 8, 0};
    std::array<std::byte, 8> bytes{};
    if (memory.read(sentinel.at, bytes) != memory::ReadStatus::ok) continue;
    std::memcpy(&sentinel.value, bytes.data(), sizeof sentinel.value);
    sentinels_.push_back(sentinel);
  }
}

template <class Physical>
bool Session::sentinels_hold(Physical& physical) const {
  return std::ranges::all_of(sentinels_, [&physical](const Sentinel& sentinel) {
    std::uint64_t value = 0;
    return physical.load(sentinel.at, value) && value == sentinel.value;
  });
}

template <class Physical>
base::Result<Observation> Session::observe_with(views::View& view, Physical& physical,
                                                paging::VirtualReader<Physical>& reader) {
  Observation observation;
  observation.started = std::chrono::system_clock::now();
  const Clock::time_point begin = Clock::now();
  reader.begin();
  if (!sentinels_hold(physical)) {
    if (!host::alive(machine_.process))
      return fail(Code::gone, "the VM ended while it was watched");
    return fail(rebooted());
  }
  observation.outcome = view.collect(&reader);
  observation.duration_ns = elapsed_ns(begin);
  observation.cost = reader.cost();
  observation.stopped_ns = attachment_.access->stopped_ns();
  return observation;
}

base::Result<Observation> Session::observe(views::View& view) {
  if (windowed_) return observe_with(view, *readers_.window, *windowed_);
  return observe_with(view, *readers_.gather, *gathering_);
}

base::Result<Observation> Session::observe(views::View& view, memory::Recording& recording) {
  const auto recorded = [&](auto& plain) {
    memory::RecordingReader recorder(plain);
    paging::VirtualReader reader(attachment_.kernel.space, recorder);
    auto observation = observe_with(view, recorder, reader);
    recording = recorder.recording();
    return observation;
  };
  return windowed_ ? recorded(*readers_.window) : recorded(*readers_.gather);
}

base::Result<void> Session::reattach() {
  auto attachment = attach(machine_, options_);
  if (!attachment) return fail(attachment.error());
  // The readers refer to the old access: they go first.
  windowed_.reset();
  gathering_.reset();
  readers_.window.reset();
  readers_.gather.reset();
  attachment_ = std::move(*attachment);
  last_jiffies_.reset();
  prepare();
  return {};
}

base::Result<void> Session::check_alive() {
  if (!host::alive(machine_.process)) return fail(Code::gone, "the VM ended while it was watched");
  memory::PhysicalMemory& memory = attachment_.access->memory();
  memory.begin_observation();
  if (!kernel::still_there(attachment_.kernel, memory)) return fail(rebooted());
  const auto jiffies = kernel::read_jiffies(attachment_.kernel, memory);
  const bool stands_still = jiffies && jiffies == last_jiffies_;
  last_jiffies_ = jiffies;
  if (stands_still && attachment_.kernel.anchored && !still_runs(machine_, attachment_))
    return fail(rebooted());
  return {};
}

}  // namespace vitrine::session
