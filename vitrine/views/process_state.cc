#include "vitrine/views/process_state.h"

#include <algorithm>

#include "vitrine/memory/reader.h"
#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/file_details.h"
#include "vitrine/views/thread_registers.h"

namespace vitrine::views {
namespace {

using base::Code;
using base::fail;
using base::GuestVirtual;

constexpr std::size_t kMostAuxiliary = 4096;  // bytes; the kernel keeps some 450
constexpr int kStateAttempts = 3;

// What the steps below share.
class Collection {
 public:
  Collection(const kernel::Kernel& kernel, memory::PhysicalMemory& memory,
             std::span<const memory::X86GeneralRegisters> processors)
      : kernel_(kernel),
        memory_(memory),
        processors_(processors),
        physical_(memory),
        reader_(kernel.space, physical_) {
    reader_.begin();
  }

  base::Result<ProcessState> run(std::int64_t pid) {
    auto tasks = Processes::attach(kernel_, memory_, {.threads = true, .command_lines = false});
    if (!tasks) return fail(tasks.error());
    const Outcome outcome = (*tasks)->collect(reader_);
    const auto all = static_cast<const Processes&>(**tasks).processes();
    if (auto found = find(all, pid, outcome); !found) return fail(found.error());
    if (auto done = read_memory(); !done) return fail(done.error());
    if (auto done = read_files(); !done) return fail(done.error());
    if (auto done = read_threads(all, pid); !done) return fail(done.error());
    return std::move(state_);
  }

 private:
  base::Result<void> find(std::span<const Process> all, std::int64_t pid, const Outcome& outcome) {
    const auto leader =
        std::ranges::find_if(all, [pid](const Process& each) { return each.pid == pid; });
    if (leader == all.end())
      return outcome.complete
                 ? fail(Code::absent, "the guest has no process " + std::to_string(pid),
                        "vitrine ps lists them")
                 : fail(Code::inconsistent, outcome.warnings.empty() ? "no process was found"
                                                                     : outcome.warnings.front());
    if (leader->tgid != leader->pid)
      return fail(Code::invalid,
                  std::to_string(pid) + " is a thread of process " + std::to_string(leader->tgid),
                  "name the process");
    if (leader->mm.value == 0)
      return fail(Code::absent, "process " + std::to_string(pid) +
                                    " has no memory of its own: it is one of the kernel's "
                                    "threads, or has exited");
    state_.process = *leader;
    state_.warnings = outcome.warnings;
    return {};
  }

  base::Result<void> read_memory() {
    Resolver at(kernel_.types);
    const UserStrings strings = UserStrings::attach(at);
    const kernel::Member auxiliary = at.member("mm_struct", "saved_auxv");
    auto regions = Regions::attach(kernel_);
    if (at.error()) return fail(*at.error());
    if (!regions) return fail(regions.error());
    const GuestVirtual mm = state_.process.mm;
    if (!strings.root(reader_, mm, state_.tables))
      return fail(paging::error_of(reader_.fault(), mm));
    Regions::End end = Regions::End::whole;
    for (int attempt = 0; attempt < kStateAttempts; ++attempt) {
      state_.regions.clear();
      end = regions->read(reader_, mm, state_.regions);
      if (end == Regions::End::whole) break;
    }
    if (state_.regions.empty())
      return fail(Code::inconsistent, "the process's regions of memory can't be read");
    if (end != Regions::End::whole)
      state_.warnings.emplace_back(
          "some of the process's regions may be missing: they are damaged, or changed while they "
          "were read");
    read_auxiliary(mm + auxiliary.offset, auxiliary.size);
    UserText text;
    if (strings.arguments(reader_, mm, text) == UserStrings::End::read && text.gaps.empty()) {
      state_.arguments = std::move(text.bytes);
      while (!state_.arguments.empty() && state_.arguments.back() == '\0')
        state_.arguments.pop_back();
      std::ranges::replace(state_.arguments, '\0', ' ');
    }
    if (const auto areas = kernel_.symbols.find("nr_swapfiles"))
      (void)reader_.load(*areas, state_.swap_areas);
    return {};
  }

  // Pairs of words, up to one that begins with 0.
  void read_auxiliary(GuestVirtual at, std::uint64_t size) {
    constexpr std::size_t kPair = 16;
    std::vector<std::byte>& vector = state_.auxiliary_vector;
    vector.resize(std::min<std::uint64_t>(size, kMostAuxiliary) / kPair * kPair);
    if (!reader_.load_bytes(at, vector)) vector.clear();
    for (std::size_t pair = 0; pair < vector.size(); pair += kPair) {
      const auto kind = std::span(vector).subspan(pair, 8);
      if (std::ranges::any_of(kind, [](std::byte byte) { return byte != std::byte{}; })) continue;
      vector.resize(pair + kPair);
      break;
    }
    if (vector.empty()) state_.warnings.emplace_back("the auxiliary vector can't be read");
  }

  base::Result<void> read_files() {
    Resolver at(kernel_.types);
    FileDecoder decoder = FileDecoder::attach(at, kernel_.types);
    if (at.error()) return fail(*at.error());
    std::size_t unnamed = 0;
    for (std::size_t i = 0; i < state_.regions.size() && !decoder.spent(); ++i) {
      const GuestVirtual file = state_.regions[i].file;
      if (file.value == 0) continue;
      const bool again = i > 0 && state_.regions[i - 1].file == file && !state_.files.empty() &&
                         state_.files.back().region == i - 1;
      if (again) {
        state_.files.push_back({i, state_.files.back().path});
        continue;
      }
      FileDetails details;
      decoder.read_mapped_file(reader_, file, details);
      if (details.unreadable || details.end != PathEnd::whole)
        ++unnamed;
      else
        state_.files.push_back({i, details.path + (details.deleted ? " (deleted)" : "")});
    }
    if (unnamed != 0)
      state_.warnings.push_back(std::to_string(unnamed) +
                                " regions show files of which the name "
                                "can't be read");
    return {};
  }

  base::Result<void> read_threads(std::span<const Process> all, std::int64_t pid) {
    const auto source = ThreadRegisters::attach(kernel_);
    if (!source) return fail(source.error());
    for (const Process& task : all)
      if (task.tgid == pid && task.mm == state_.process.mm)
        state_.threads.push_back(read_thread(*source, task));
    const auto first = std::ranges::find_if(
        state_.threads, [pid](const ThreadState& thread) { return thread.id == pid; });
    if (first != state_.threads.end()) std::rotate(state_.threads.begin(), first, first + 1);
    return {};
  }

  ThreadState read_thread(const ThreadRegisters& source, const Process& task) {
    ThreadState thread;
    thread.id = task.pid;
    // One that runs in the kernel has left them where one that sleeps has.
    const auto processor = source.processor(reader_, task.task);
    if (processor && *processor < processors_.size() &&
        ThreadRegisters::in_user_mode(processors_[*processor])) {
      thread.registers = processors_[*processor];
      return thread;
    }
    switch (source.read(reader_, task.task, thread.registers)) {
      case ThreadRegisters::End::read:
        if (processor && processors_.empty())
          thread.unknown = "it runs: its registers are those of its last entry into the kernel";
        break;
      case ThreadRegisters::End::unreadable:
        thread.unknown = "its registers can't be read: " + std::string(name(reader_.fault()));
        break;
      case ThreadRegisters::End::elsewhere:
        thread.unknown = "it has not been in user mode";
        break;
    }
    return thread;
  }

  const kernel::Kernel& kernel_;
  memory::PhysicalMemory& memory_;
  std::span<const memory::X86GeneralRegisters> processors_;
  memory::Reader physical_;
  Reader reader_;
  ProcessState state_;
};

}  // namespace

base::Result<ProcessState> read_process(const kernel::Kernel& kernel,
                                        memory::PhysicalMemory& memory, std::int64_t pid,
                                        std::span<const memory::X86GeneralRegisters> processors) {
  return Collection(kernel, memory, processors).run(pid);
}

}  // namespace vitrine::views
