#include "vitrine/kernel/facts.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <string>

#include "vitrine/kernel/timekeeper.h"
#include "vitrine/paging/walked_memory.h"

namespace vitrine::kernel {
namespace {

using base::Code;
using base::fail;
using base::GuestVirtual;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::size_t kMaxResources = 4096;

enum Name : std::size_t {
  kOnlineCpus,
  kPossibleCpus,
  kTotalPages,
  kCommandLine,
  kIoMemory,
  kNames
};
constexpr std::array<std::string_view, kNames> kSymbolNames{
    "__num_online_cpus", "nr_cpu_ids", "_totalram_pages", "saved_command_line", "iomem_resource"};

// Reads values of the kernel, walking for every address: few, so speed does not matter.
class Facts {
 public:
  Facts(const Kernel& kernel, memory::PhysicalMemory& memory)
      : kernel_(kernel),
        walked_(*kernel.space.format, kernel.space.root, memory),
        symbols_(kernel.symbols.find(kSymbolNames)) {}

  std::optional<GuestVirtual> symbol(Name name) const { return symbols_[name]; }

  template <class T>
  std::optional<T> load(GuestVirtual at) {
    std::array<std::byte, sizeof(T)> bytes{};
    if (!walked_.read(at, bytes)) return std::nullopt;
    T value{};
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  // A member of a structure at `at`, whatever its width up to 8 bytes.
  std::optional<std::uint64_t> member(GuestVirtual at, std::string_view type,
                                      std::string_view path) {
    const auto found = kernel_.types.member(type, path);
    if (!found || found->size > 8) return std::nullopt;
    std::array<std::byte, 8> bytes{};
    if (!walked_.read(at + found->offset, std::span(bytes).first(found->size))) return std::nullopt;
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  // A string of at most `limit` bytes, read up to a page border at a time.
  std::string text(GuestVirtual at, std::size_t limit) {
    std::string text;
    while (text.size() < limit) {
      const auto c = load<char>(at + text.size());
      if (!c || *c == '\0') break;
      text.push_back(*c);
    }
    return text;
  }

 private:
  const Kernel& kernel_;
  paging::WalkedMemory walked_;
  std::vector<std::optional<GuestVirtual>> symbols_;
};

std::string format_time(std::int64_t ns_since_epoch) {
  const std::time_t seconds = ns_since_epoch / static_cast<std::int64_t>(kSecond);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

// Boot time as getboottime64(), uptime as ktime_get_boottime(), as of the guest's last clock tick
// (kernel/time/timekeeping.c).
void add_times(const Kernel& kernel, Facts& facts, std::vector<Finding>& findings) {
  const auto timekeeper = find_timekeeper(kernel);
  if (!timekeeper) return;
  const auto value = [&](std::string_view path) {
    return facts.member(timekeeper->at, "timekeeper", path);
  };
  const auto real = value("offs_real");
  const auto boot = value("offs_boot");
  const auto seconds = value("xtime_sec");
  const auto nanoseconds = value("tkr_mono.xtime_nsec");
  const auto shift = value("tkr_mono.shift");
  const auto to_monotonic = value("wall_to_monotonic.tv_sec");
  const auto to_monotonic_ns = value("wall_to_monotonic.tv_nsec");
  const std::string found_by = "timekeeper in " + std::string(timekeeper->symbol);
  if (real && boot)
    findings.push_back(
        {"boot_time", format_time(static_cast<std::int64_t>(*real - *boot)), found_by});
  if (seconds && nanoseconds && shift && *shift < 64 && to_monotonic && to_monotonic_ns && boot)
    findings.push_back(
        {"uptime_ns",
         (*seconds + *to_monotonic) * kSecond + (*nanoseconds >> *shift) + *to_monotonic_ns + *boot,
         found_by + ", as of the guest's last clock tick"});
}

}  // namespace

std::vector<Finding> read_facts(const Kernel& kernel, memory::PhysicalMemory& memory) {
  Facts facts(kernel, memory);
  std::vector<Finding> findings;
  if (const auto names = kernel.vmcoreinfo.utsname()) {
    findings.push_back({"hostname", facts.text(*names + 65, 65), "init_uts_ns"});
    findings.push_back({"version", facts.text(*names + std::uint64_t{3} * 65, 65), "init_uts_ns"});
  }
  add_times(kernel, facts, findings);
  if (const auto symbol = facts.symbol(kOnlineCpus))
    if (const auto count = facts.load<std::uint32_t>(*symbol))
      findings.push_back({"cpus_online", std::uint64_t{*count}, "__num_online_cpus"});
  if (const auto symbol = facts.symbol(kPossibleCpus))
    if (const auto count = facts.load<std::uint32_t>(*symbol))
      findings.push_back({"cpus_possible", std::uint64_t{*count}, "nr_cpu_ids"});
  if (const auto symbol = facts.symbol(kTotalPages))
    if (const auto pages = facts.load<std::uint64_t>(*symbol))
      findings.push_back({"memory_bytes", *pages * kernel.vmcoreinfo.page_size().value_or(4096),
                          "_totalram_pages: what the guest's kernel manages"});
  if (const auto symbol = facts.symbol(kCommandLine))
    if (const auto pointer = facts.load<std::uint64_t>(*symbol))
      findings.push_back(
          {"command_line", facts.text(GuestVirtual(*pointer), 2048), "saved_command_line"});
  return findings;
}

base::Result<std::vector<memory::Range>> read_system_ram(const Kernel& kernel,
                                                         memory::PhysicalMemory& memory) {
  Facts facts(kernel, memory);
  const auto root = facts.symbol(kIoMemory);
  if (!root) return fail(Code::absent, "this kernel's kallsyms does not name iomem_resource");
  std::vector<memory::Range> ranges;
  std::size_t visited = 0;
  // RAM stands at the top level of the tree.
  auto at = facts.member(*root, "resource", "child");
  while (at && *at != 0) {
    if (++visited > kMaxResources)
      return fail(Code::inconsistent, "the guest's resource list does not end");
    const GuestVirtual resource(*at);
    const auto start = facts.member(resource, "resource", "start");
    const auto end = facts.member(resource, "resource", "end");
    const auto name = facts.member(resource, "resource", "name");
    at = facts.member(resource, "resource", "sibling");
    if (!start || !end || !name || *end < *start) continue;
    if (facts.text(GuestVirtual(*name), 32) == "System RAM")
      ranges.push_back({base::GuestPhysical(*start), *end - *start + 1});
  }
  if (!at) return fail(Code::unreadable, "the guest's resource list could not be read to its end");
  std::ranges::sort(ranges, {}, &memory::Range::start);
  return ranges;
}

}  // namespace vitrine::kernel
