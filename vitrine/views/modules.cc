#include "vitrine/views/modules.h"

#include <algorithm>

#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/text.h"

namespace vitrine::views {
namespace {

constexpr std::int64_t kOwnReference = 1;  // MODULE_REF_BASE
constexpr std::size_t kMaxUsers = 4096;
constexpr std::uint32_t kUnformed = 3;  // MODULE_STATE_UNFORMED: lsmod does not show it either

// The flags that concern modules (taint_flags, kernel/panic.c).
std::string taint_letters(std::uint64_t taints) {
  constexpr std::array<std::pair<unsigned, char>, 7> kFlags{
      {{0, 'P'}, {1, 'F'}, {10, 'C'}, {12, 'O'}, {13, 'E'}, {15, 'K'}, {18, 'N'}}};
  std::string letters;
  for (const auto& [bit, letter] : kFlags)
    if ((taints >> bit & 1) != 0) letters += letter;
  return letters;
}

std::string module_state(std::uint32_t state) {
  constexpr std::array<std::string_view, 3> kNames{"live", "loading", "unloading"};
  return state < kNames.size() ? std::string(kNames.at(state)) : std::to_string(state);
}

}  // namespace

constinit const std::array<Column, Modules::kColumns> Modules::kColumnDeclarations{{
    {"name", Type::text, "name of the module"},
    {"size_bytes", Type::bytes, "memory that it takes, in bytes"},
    {"users", Type::integer, "how often it is in use; null where modules can't be unloaded"},
    {"used_by", Type::text, "modules that use it, separated by commas; null where there are none"},
    {"state", Type::text, "live, loading or unloading"},
    {"taints", Type::text,
     "what it taints the kernel with: P proprietary, F forced, C staging, O out of tree, E "
     "unsigned, "
     "K live patch, N test; null where nothing"},
    {"parameters", Type::text,
     "its parameters with their values now, name=value, separated by blanks; null where it has "
     "none"},
    {"address", Type::address, "where its code begins"},
}};

std::span<const Column> Modules::declared_columns() { return kColumnDeclarations; }

// What its memory consists of: core_layout and init_layout until 6.4, then an array.
Modules::Fields Modules::resolve(Resolver& at, const kernel::TypeLookup& types) {
  Fields fields;
  fields.state = at("module", "state");
  fields.taints = at("module", "taints");
  fields.unloads = types.has_member("module", "refcnt");
  if (fields.unloads) {
    fields.references = at("module", "refcnt.counter");
    fields.users = at("module", "source_list");
    fields.init = at("module", "init");
    fields.exit = at("module", "exit");
    fields.use_link = at("module_use", "source_list");
    fields.use_source = at("module_use", "source");
  }
  fields.name = at("module", "name");
  if (types.has_member("module", "mem[0].base")) {
    const std::uint32_t count = at.member("module", "mem").element_count;
    for (std::uint32_t i = 0; i < std::min(count, 16U); ++i)
      fields.sizes.push_back(at("module", "mem[" + std::to_string(i) + "].size"));
  } else {
    fields.sizes = {at("module", "core_layout.size"), at("module", "init_layout.size")};
  }
  return fields;
}

base::Result<std::unique_ptr<View>> Modules::attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& /*memory*/) {
  constexpr std::array<std::string_view, 1> kSymbols{"modules"};
  if (!kernel.symbols.find(kSymbols)[0])
    return kernel.types.has_member("module", "list")
               ? base::fail(base::Code::unsupported,
                            "nothing in this kernel tells where its list of modules is",
                            "the guest's kernel needs CONFIG_KALLSYMS_ALL")
               : base::fail(base::Code::absent, "this kernel is built without loadable modules");
  auto list = ModuleList::attach(kernel);
  if (!list) return base::fail(list.error());
  Resolver at(kernel.types);
  const auto parameters = ModuleParameters::attach(kernel, at);
  auto fields = resolve(at, kernel.types);
  if (at.error()) return base::fail(*at.error());
  return std::unique_ptr<View>(new Modules(std::move(*list), parameters, std::move(fields)));
}

// The list and the modules' states; their parameters' values.
std::span<const GlobalGuard> Modules::global_guards() const {
  static constexpr std::array<GlobalGuard, 2> kGuards{{
      {LockKind::mutex, "module_mutex"},
      {LockKind::mutex, "param_lock", true},
  }};
  return kGuards;
}

Outcome Modules::collect(Reader& reader) {
  rows_.clear();
  parameters_.begin();
  users_.renew();
  Outcome outcome;
  if (!list_.read(reader))
    outcome = {
        false,
        {"the list of modules does not come back to its head: it is damaged or changed while "
         "it was read; " +
         std::to_string(list_.modules().size()) + " modules were read"}};
  for (const Module& module : list_.modules()) collect_module(reader, module);
  return outcome;
}

void Modules::collect_module(Reader& reader, const Module& module) {
  Row row;
  row.values.resize(kColumns);
  row.values[kName] = module.name;
  row.values[kAddress] = module.text.value;
  const auto failed = [&](ColumnIndex column) {
    row.errors.push_back({kColumnDeclarations[column].name, base::Code::unreadable,
                          std::string(paging::name(reader.fault()))});
  };
  std::uint32_t state = 0;
  std::uint64_t taints = 0;
  std::uint64_t bytes = 0;
  std::string text;
  if (!reader.load(module.at + fields_.state, state))
    failed(kState);
  else if (state == kUnformed)
    return;
  else
    row.values[kState] = module_state(state);
  if (reader.load(module.at + fields_.taints, taints))
    row.values[kTaints] = text_or_null(taint_letters(taints));
  else
    failed(kTaints);
  if (read_size(reader, module.at, bytes))
    row.values[kSize] = bytes;
  else
    failed(kSize);
  if (fields_.unloads) {
    std::int32_t references = 0;
    if (reader.load(module.at + fields_.references, references))
      row.values[kUsers] = references - kOwnReference;
    else
      failed(kUsers);
    if (read_users(reader, module.at, text))
      row.values[kUsedBy] = text_or_null(text);
    else
      failed(kUsedBy);
  }
  text.clear();
  if (parameters_.read(reader, module.at, text))
    row.values[kParameters] = text_or_null(text);
  else
    failed(kParameters);
  rows_.push_back(std::move(row));
}

bool Modules::read_size(Reader& reader, base::GuestVirtual module, std::uint64_t& bytes) const {
  for (const std::uint32_t offset : fields_.sizes) {
    std::uint32_t size = 0;
    if (!reader.load(module + offset, size)) return false;
    bytes += size;
  }
  return true;
}

// As print_unload_info(): one that begins but never ends is marked, too.
bool Modules::read_users(Reader& reader, base::GuestVirtual module, std::string& users) {
  const base::GuestVirtual head = module + fields_.users;
  base::GuestVirtual at;
  CycleGuard guard;
  bool readable = reader.load(head, at.value);
  for (std::size_t count = 0; readable && at != head; ++count) {
    if (count >= kMaxUsers || guard.closes(at) || !users_.spend(1)) return false;
    base::GuestVirtual source;
    std::array<char, 56> name{};
    readable = reader.load(at - fields_.use_link + fields_.use_source, source.value) &&
               reader.load_bytes(source + fields_.name, std::as_writable_bytes(std::span(name))) &&
               reader.load(at, at.value);
    if (readable)
      (users += users.empty() ? "" : ",").append(name.begin(), std::ranges::find(name, '\0'));
  }
  base::GuestVirtual init;
  base::GuestVirtual exit;
  readable = readable && reader.load(module + fields_.init, init.value) &&
             reader.load(module + fields_.exit, exit.value);
  if (readable && init.value != 0 && exit.value == 0)
    (users += users.empty() ? "" : ",") += "[permanent]";
  return readable;
}

}  // namespace vitrine::views
