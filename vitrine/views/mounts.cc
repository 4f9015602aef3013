#include "vitrine/views/mounts.h"

#include <algorithm>
#include <array>
#include <set>

#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/text.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;

constexpr std::size_t kMaxMounts = 400'000;  // of all namespaces; each may have 100,000
constexpr std::size_t kMaxMountText = 4096;  // bytes, PATH_MAX
constexpr std::uint64_t kSuperReadOnly = 1;  // SB_RDONLY

// As show_mnt_opts() in fs/proc_namespace.c (MNT_* of include/linux/mount.h).
std::string options_text(std::uint32_t flags) {
  constexpr std::uint32_t kReadOnlyMount = 0x40;
  constexpr std::array<std::pair<std::uint32_t, std::string_view>, 7> kNames{
      {{0x01, ",nosuid"},
       {0x02, ",nodev"},
       {0x04, ",noexec"},
       {0x08, ",noatime"},
       {0x10, ",nodiratime"},
       {0x20, ",relatime"},
       {0x80, ",nosymfollow"}}};
  std::string text = (flags & kReadOnlyMount) != 0 ? "ro" : "rw";
  for (const auto& [flag, name] : kNames)
    if ((flags & flag) != 0) text += name;
  return text;
}

}  // namespace

constinit const std::array<Column, Mounts::kColumns> Mounts::kColumnDeclarations{{
    {"namespace", Type::integer, "the mount namespace, as /proc/PID/ns/mnt numbers it"},
    {"id", Type::integer, "number of the mount"},
    {"parent", Type::integer, "number of the mount that it is on; its own for the root"},
    {"device", Type::text, "major and minor number of the file system"},
    {"root", Type::text, "what of the file system is mounted: / is all of it"},
    {"path", Type::text, "where it is mounted"},
    {"options", Type::text, "of the mount: ro or rw, nosuid, nodev, noexec, noatime, …"},
    {"read_only", Type::boolean, "whether the file system itself can only be read"},
    {"type", Type::text, "kind of the file system, e.g. ext4"},
    {"source", Type::text, "what was mounted, e.g. /dev/vda1; null where nothing was named"},
}};

std::span<const Column> Mounts::declared_columns() { return kColumnDeclarations; }

Mounts::Fields Mounts::resolve(Resolver& at) {
  Fields fields;
  fields.nsproxy = at("task_struct", "nsproxy");
  fields.mount_namespace = at("nsproxy", "mnt_ns");
  fields.root = at("mnt_namespace", "root");
  fields.number = at("mnt_namespace", "ns.inum");
  fields.parent = at("mount", "mnt_parent");
  fields.mountpoint = at("mount", "mnt_mountpoint");
  fields.mounts = at("mount", "mnt_mounts");
  fields.child = at("mount", "mnt_child");
  fields.id = at("mount", "mnt_id");
  fields.source = at("mount", "mnt_devname");
  fields.mount = at("mount", "mnt");
  fields.root_entry = at("vfsmount", "mnt_root");
  fields.super = at("vfsmount", "mnt_sb");
  fields.flags = at("vfsmount", "mnt_flags");
  fields.device = at("super_block", "s_dev");
  fields.super_flags = at("super_block", "s_flags");
  fields.type = at("super_block", "s_type");
  fields.subtype = at("super_block", "s_subtype");
  fields.type_name = at("file_system_type", "name");
  return fields;
}

base::Result<std::unique_ptr<View>> Mounts::attach(const kernel::Kernel& kernel,
                                                   memory::PhysicalMemory& memory) {
  auto processes = Processes::attach(kernel, memory, {.threads = false, .command_lines = false});
  if (!processes) return processes;
  Resolver at(kernel.types);
  const Fields fields = resolve(at);
  Paths paths = Paths::attach(at);
  if (at.error()) return base::fail(*at.error());
  return std::unique_ptr<View>(new Mounts(std::move(*processes), std::move(paths), fields));
}

// Whose namespaces there are; what is mounted where; names in directories.
std::span<const GlobalGuard> Mounts::global_guards() const {
  static constexpr std::array<GlobalGuard, 5> kGuards{{
      {LockKind::rwlock, "tasklist_lock"},
      {LockKind::spinlock, "pidmap_lock", true},
      {LockKind::semaphore, "namespace_sem"},
      {LockKind::seqlock, "mount_lock"},
      {LockKind::seqlock, "rename_lock"},
  }};
  return kGuards;
}

Outcome Mounts::collect(Reader& reader) {
  Outcome outcome = processes_->collect(reader);
  return collect_rows(reader, std::move(outcome));
}

Outcome Mounts::collect_rows(Reader& reader, Outcome outcome) {
  rows_.clear();
  paths_.forget();
  text_.renew();
  seen_.clear();
  bool whole = true;
  for (const GuestVirtual at : namespaces(reader, whole))
    whole = !paths_.spent() && !text_.spent() && collect_namespace(reader, at) && whole;
  if (whole) return outcome;
  outcome.complete = false;
  outcome.warnings.emplace_back(
      "not all mounts of all namespaces could be read: they are damaged or changed while they were "
      "read");
  return outcome;
}

// Each once, in the order of the processes that live in them.
std::vector<GuestVirtual> Mounts::namespaces(Reader& reader, bool& whole) const {
  std::vector<GuestVirtual> found;
  std::set<GuestVirtual> known;
  for (const Process& process : processes().processes()) {
    GuestVirtual proxy;
    GuestVirtual name_space;
    // A task that exits has given its namespaces up.
    bool readable = reader.load(process.task + fields_.nsproxy, proxy.value);
    if (readable && proxy.value == 0) continue;
    readable = readable && reader.load(proxy + fields_.mount_namespace, name_space.value);
    whole = whole && readable;
    if (readable && known.insert(name_space).second) found.push_back(name_space);
  }
  return found;
}

bool Mounts::collect_namespace(Reader& reader, GuestVirtual at) {
  GuestVirtual root;
  std::uint32_t number = 0;
  if (!reader.load(at + fields_.root, root.value) || !reader.load(at + fields_.number, number))
    return false;
  std::vector<GuestVirtual> waiting{root};
  while (!waiting.empty()) {
    const GuestVirtual mount = waiting.back();
    waiting.pop_back();
    if (rows_.size() >= kMaxMounts || paths_.spent() || text_.spent()) return false;
    if (!seen_.insert(mount).second) return false;
    add_mount(reader, mount, number);
    if (!add_children(reader, mount, waiting)) return false;
  }
  return true;
}

bool Mounts::add_children(Reader& reader, GuestVirtual mount,
                          std::vector<GuestVirtual>& waiting) const {
  const GuestVirtual head = mount + fields_.mounts;
  const std::size_t before = waiting.size();
  GuestVirtual at;
  CycleGuard guard;
  bool readable = reader.load(head, at.value);
  while (readable && at != head) {
    if (rows_.size() + waiting.size() >= kMaxMounts || guard.closes(at)) return false;
    waiting.push_back(at - fields_.child);
    readable = reader.load(at, at.value);
  }
  std::reverse(waiting.begin() + static_cast<std::ptrdiff_t>(before), waiting.end());
  return readable;
}

bool Mounts::read_text(Reader& reader, GuestVirtual at, std::string& text) {
  text.clear();
  if (at.value == 0) return true;
  return load_text(reader, at, kMaxMountText, text) && text_.spend(text.size());
}

void Mounts::add_mount(Reader& reader, GuestVirtual at, std::uint32_t name_space) {
  Row row;
  row.values.resize(kColumns);
  row.values[kNamespace] = std::uint64_t{name_space};
  read_numbers(reader, at, row);
  read_paths(reader, at + fields_.mount, row);
  read_file_system(reader, at + fields_.mount, row);
  GuestVirtual source;
  std::string text;
  const bool readable =
      reader.load(at + fields_.source, source.value) && read_text(reader, source, text);
  put(reader, row, kSource, readable, text.empty() ? Value() : Value(text));
  rows_.push_back(std::move(row));
}

// The value, or why there is none.
void Mounts::put(const Reader& reader, Row& row, std::size_t column, bool readable, Value value) {
  if (readable)
    row.values[column] = std::move(value);
  else
    row.errors.push_back({kColumnDeclarations.at(column).name, base::Code::unreadable,
                          std::string(paging::name(reader.fault()))});
}

void Mounts::read_numbers(Reader& reader, GuestVirtual at, Row& row) const {
  GuestVirtual parent;
  std::int32_t id = 0;
  std::int32_t parent_id = 0;
  std::uint32_t flags = 0;
  const bool numbered = reader.load(at + fields_.id, id);
  put(reader, row, kId, numbered, std::int64_t{id});
  const bool readable =
      reader.load(at + fields_.parent, parent.value) && reader.load(parent + fields_.id, parent_id);
  put(reader, row, kParent, readable, std::int64_t{parent_id});
  const bool flagged = reader.load(at + fields_.mount + fields_.flags, flags);
  put(reader, row, kOptions, flagged, options_text(flags));
}

void Mounts::read_paths(Reader& reader, GuestVirtual mount, Row& row) {
  FilePlace place{mount, {}};
  std::string text;
  const bool rooted = reader.load(mount + fields_.root_entry, place.entry.value);
  const auto put_path = [&](std::size_t column, PathEnd end) {
    if (end == PathEnd::astray)
      row.errors.push_back({kColumnDeclarations.at(column).name, base::Code::inconsistent,
                            "the path does not come to an end"});
    else
      put(reader, row, column, end == PathEnd::whole, text);
  };
  put_path(kRoot, rooted ? paths_.inner_path(reader, place.entry, text) : PathEnd::unreadable);
  // Its own root is named after where it is mounted.
  put_path(kPath, rooted ? paths_.path(reader, place, text) : PathEnd::unreadable);
}

void Mounts::read_file_system(Reader& reader, GuestVirtual mount, Row& row) {
  GuestVirtual super;
  GuestVirtual type;
  GuestVirtual name_at;
  GuestVirtual subtype_at;
  std::uint64_t flags = 0;
  std::uint32_t device = 0;
  std::string name;
  std::string subtype;
  const bool there = reader.load(mount + fields_.super, super.value);
  const bool numbered = there && reader.load(super + fields_.device, device);
  put(reader, row, kDevice, numbered, device_name(device));
  const bool flagged = there && reader.load(super + fields_.super_flags, flags);
  put(reader, row, kReadOnly, flagged, (flags & kSuperReadOnly) != 0);
  const bool named = there && reader.load(super + fields_.type, type.value) &&
                     reader.load(type + fields_.type_name, name_at.value) &&
                     read_text(reader, name_at, name) &&
                     reader.load(super + fields_.subtype, subtype_at.value) &&
                     read_text(reader, subtype_at, subtype);
  put(reader, row, kType, named, subtype.empty() ? name : name + "." + subtype);
}

}  // namespace vitrine::views
