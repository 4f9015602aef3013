#include "vitrine/views/processors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/text.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;

constexpr std::size_t kMaxCpuText = 64;       // bytes of a flag's name, or of a CPU's
constexpr std::uint32_t kMostWords = 64;      // NCAPINTS + NBUGINTS is 24
constexpr std::uint64_t kWordNames = 32 * 8;  // bytes of a table for one word of flags

}  // namespace

constinit const std::array<Column, Processors::kColumns> Processors::kColumnDeclarations{{
    {"cpu", Type::integer, "number of the CPU"},
    {"online", Type::boolean, "whether it is in use; what follows is null where it is not"},
    {"vendor", Type::text, "who made it, e.g. GenuineIntel"},
    {"model_name", Type::text, "what it calls itself"},
    {"family", Type::integer, "family of CPUs"},
    {"model", Type::integer, "model within the family"},
    {"stepping", Type::integer, "revision of the model"},
    {"microcode", Type::text, "revision of its microcode, in hexadecimal"},
    {"khz", Type::integer, "frequency in kHz, as measured when the guest booted"},
    {"cache_bytes", Type::bytes, "size of its last cache, in bytes"},
    {"package", Type::integer, "number of the package that it is in: physical id"},
    {"die", Type::integer, "number of the die within the package"},
    {"core", Type::integer, "number of the core within the package: core id"},
    {"apic_id", Type::integer, "number of its interrupt controller"},
    {"flags", Type::text, "what it can do, by the kernel's names, separated by spaces"},
    {"bugs", Type::text, "what is known to be wrong with it, likewise"},
}};

std::span<const Column> Processors::declared_columns() { return kColumnDeclarations; }

base::Result<std::unique_ptr<View>> Processors::attach(const kernel::Kernel& kernel,
                                                       memory::PhysicalMemory& memory) {
  auto cpus = PerCpu::attach(kernel, memory);
  if (!cpus) return base::fail(cpus.error());
  std::unique_ptr<Processors> view(new Processors(std::move(*cpus)));
  if (auto resolved = view->resolve(kernel); !resolved) return base::fail(resolved.error());
  return std::unique_ptr<View>(std::move(view));
}

// The first of several names that exists; its width changed with the kernels.
Processors::Number Processors::number(Resolver& at, const kernel::TypeLookup& types,
                                      std::initializer_list<std::string_view> names) {
  std::string_view chosen = *names.begin();
  for (const std::string_view name : names)
    if (types.has_member("cpuinfo_x86", name)) {
      chosen = name;
      break;
    }
  const kernel::Member member = at.member("cpuinfo_x86", chosen);
  return {static_cast<std::uint32_t>(member.offset), static_cast<std::uint32_t>(member.size)};
}

base::Result<void> Processors::resolve(const kernel::Kernel& kernel) {
  constexpr std::array<std::string_view, 4> kSymbols{"cpu_info", "cpu_khz", "x86_cap_flags",
                                                     "x86_bug_flags"};
  const auto symbols = kernel.symbols.find(kSymbols);
  if (!symbols[0])
    return base::fail(base::Code::unsupported, "this kernel's kallsyms does not name cpu_info",
                      "the guest's kernel needs CONFIG_KALLSYMS_ALL");
  info_ = *symbols[0];
  frequency_ = symbols[1];
  const kernel::TypeLookup& types = kernel.types;
  Resolver at(types);
  fields_.family = number(at, types, {"x86"});
  fields_.model = number(at, types, {"x86_model"});
  fields_.stepping = number(at, types, {"x86_stepping"});
  fields_.microcode = number(at, types, {"microcode"});
  fields_.cache = number(at, types, {"x86_cache_size"});
  // In a structure of their own since 6.7 (02fb601d27a7).
  fields_.package = number(at, types, {"topo.pkg_id", "phys_proc_id"});
  fields_.die = number(at, types, {"topo.die_id", "cpu_die_id"});
  fields_.core = number(at, types, {"topo.core_id", "cpu_core_id"});
  fields_.apic = number(at, types, {"topo.apicid", "apicid"});
  fields_.vendor = at("cpuinfo_x86", "x86_vendor_id");
  fields_.model_name = at("cpuinfo_x86", "x86_model_id");
  const kernel::Member words = at.member("cpuinfo_x86", "x86_capability");
  fields_.capabilities = static_cast<std::uint32_t>(words.offset);
  if (at.error()) return base::fail(*at.error());
  // How many of the words are features the size of their table tells; bugs have the rest.
  const std::uint32_t count = std::min(words.element_count, kMostWords);
  const auto end = symbols[2] ? kernel.symbols.next_address_after(*symbols[2]) : std::nullopt;
  const std::uint64_t named = end ? (*end - *symbols[2]) / kWordNames : count;
  const auto features = static_cast<std::uint32_t>(std::min<std::uint64_t>(named, count));
  features_ = {0, features, symbols[2]};
  bugs_ = {features, count - features, symbols[3]};
  return {};
}

Outcome Processors::collect(Reader& reader) {
  rows_.clear();
  text_.renew();
  std::vector<PerCpu::Cpu> online;
  if (!cpus_.read_online(reader, online))
    return {false, {"which CPUs are online could not be read"}};
  auto next_online = online.begin();
  for (const PerCpu::Cpu& cpu : cpus_.possible()) {
    const bool is_online = next_online != online.end() && next_online->number == cpu.number;
    Row row;
    row.values.resize(kColumns);
    row.values[kCpu] = std::uint64_t{cpu.number};
    row.values[kOnline] = is_online;
    if (is_online) {
      ++next_online;
      read_cpu(reader, info_ + cpu.offset, row);
    }
    rows_.push_back(std::move(row));
  }
  return {};
}

void Processors::read_cpu(Reader& reader, GuestVirtual at, Row& row) {
  const auto put = [&](unsigned column, bool readable, Value value) {
    if (readable)
      row.values[column] = std::move(value);
    else
      row.errors.push_back({kColumnDeclarations.at(column).name, base::Code::unreadable,
                            std::string(paging::name(reader.fault()))});
  };
  const auto load = [&](const Number& number, std::uint64_t& value) {
    std::array<std::byte, 8> bytes{};
    const std::size_t size = std::min<std::size_t>(number.size, bytes.size());
    if (!reader.load_bytes(at + number.offset, std::span(bytes).first(size))) return false;
    value = std::bit_cast<std::uint64_t>(bytes);
    return true;
  };
  const auto put_number = [&](unsigned column, const Number& number) {
    std::uint64_t value = 0;
    const bool readable = load(number, value);
    put(column, readable, value);
  };
  const auto put_text = [&](unsigned column, std::uint32_t offset, std::size_t most) {
    std::string text;
    const bool readable = load_text(reader, at + offset, most, text);
    put(column, readable, std::move(text));
  };
  put_text(kVendor, fields_.vendor, 16);
  put_text(kModelName, fields_.model_name, kMaxCpuText);
  put_number(kFamily, fields_.family);
  put_number(kModel, fields_.model);
  put_number(kStepping, fields_.stepping);
  put_number(kPackage, fields_.package);
  put_number(kDie, fields_.die);
  put_number(kCore, fields_.core);
  put_number(kApic, fields_.apic);
  std::uint64_t microcode = 0;
  const bool revised = load(fields_.microcode, microcode);
  put(kMicrocode, revised, fmt::format("{:#x}", microcode));
  std::uint64_t cache = 0;  // in KiB
  const bool cached = load(fields_.cache, cache);
  put(kCache, cached, cache * 1024);
  std::uint32_t frequency = 0;
  if (frequency_) {
    const bool measured = reader.load(*frequency_, frequency);
    put(kFrequency, measured, std::uint64_t{frequency});
  }
  std::string text;
  const bool flagged = read_flags(reader, at, features_, text);
  put(kFlags, flagged, text);
  const bool judged = read_flags(reader, at, bugs_, text);
  put(kBugs, judged, text);
}

bool Processors::read_flags(Reader& reader, GuestVirtual at, const Flags& flags,
                            std::string& text) {
  text.clear();
  if (!flags.names) return true;
  for (std::uint64_t word = 0; word < flags.words; ++word) {
    std::uint32_t bits = 0;
    if (!reader.load(at + fields_.capabilities + (flags.first_word + word) * 4, bits)) return false;
    for (std::uint64_t bit = 0; bit < 32; ++bit) {
      if ((bits >> bit & 1) == 0) continue;
      std::string name;
      if (!name_of(reader, *flags.names + (word * 32 + bit) * 8, name)) return false;
      if (!text_.spend(name.size() + 1)) return false;
      if (!name.empty()) text += (text.empty() ? "" : " ") + name;
    }
  }
  return true;
}

// What the kernel does not show has no name.
bool Processors::name_of(Reader& reader, GuestVirtual at, std::string& name) {
  if (const auto known = names_.find(at); known != names_.end()) {
    name = known->second;
    return true;
  }
  GuestVirtual text;
  if (!reader.load(at, text.value)) return false;
  if (text.value != 0 && !load_text(reader, text, kMaxCpuText, name)) return false;
  names_.emplace(at, name);
  return true;
}

}  // namespace vitrine::views
