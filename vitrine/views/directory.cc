#include "vitrine/views/directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vitrine::views {
namespace {

using base::GuestVirtual;

}  // namespace

constinit const std::array<Column, Directory::kColumns> Directory::kColumnDeclarations{{
    {"name", Type::text, "name of the entry"},
    {"type", Type::text, "file, dir, char, block, fifo, socket, link, or other"},
    {"mode", Type::text, "permissions, octal, as chmod takes them"},
    {"permissions", Type::text, "type and permissions as ls -l shows them"},
    {"uid", Type::integer, "owner, in the guest's initial user namespace"},
    {"gid", Type::integer, "group, in the guest's initial user namespace"},
    {"size_bytes", Type::bytes, "size in bytes"},
    {"links", Type::integer, "names that the file has"},
    {"inode", Type::integer, "number of the inode"},
    {"device", Type::text, "major and minor number of the file system; of a device file, its own"},
    {"mtime_ns", Type::nanoseconds, "last change of the content, in nanoseconds since 1970"},
    {"target", Type::text,
     "where a symbolic link leads; null for anything else, or where the guest has not cached it"},
    {"mounted", Type::boolean,
     "whether another file system is mounted there: what is said is of that one's root"},
    {"deleted", Type::boolean, "whether the name was removed while the file is still in use"},
}};

std::span<const Column> Directory::declared_columns() { return kColumnDeclarations; }

base::Result<std::unique_ptr<View>> Directory::attach(const kernel::Kernel& kernel,
                                                      memory::PhysicalMemory& memory,
                                                      const DirectoryOptions& options) {
  auto finder = FileFinder::attach(kernel, memory);
  if (!finder) return base::fail(finder.error());
  return std::unique_ptr<View>(new Directory(std::move(*finder), options));
}

Outcome Directory::list(Reader& reader, const PathWalk::Found& found) {
  const FilePlace& place = found.place;
  if (!found.inode.is_directory()) {
    add(reader, place.mount, {.at = place.entry, .inode = found.inode.at, .hashed = true});
    return {};
  }
  Outcome outcome;
  PathWalk& walk = finder_.walk();
  const WalkEnd end =
      walk.entries().walk(reader, place.entry, walk.steps(), [&](const Entry& entry) {
        if (entry.inode.value != 0) add(reader, place.mount, entry);
        return !memory_.spent();
      });
  std::ranges::sort(rows_, {}, [](const Row& row) { return row.values[kName]; });
  if (end != WalkEnd::whole || memory_.spent())
    outcome = {false,
               {"not all entries could be read: the directory is damaged, or changed while it was "
                "read"}};
  else if (!walk.lives_in_memory(found.inode))
    outcome = {false,
               {"only what the guest has cached of this directory is listed: there may be more "
                "that nobody in the guest has looked at lately"}};
  return outcome;
}

void Directory::add(Reader& reader, GuestVirtual mount, const Entry& entry) {
  Row row;
  row.values.resize(kColumns);
  PathWalk& walk = finder_.walk();
  std::string name;
  const bool named = walk.names().name(reader, entry.at, name);
  memory_.spend(name.size() + sizeof(Row) + kColumns * sizeof(Value));
  if (named)
    row.values[kName] = std::move(name);
  else
    failed(row, kName, base::Code::unreadable, std::string(paging::name(reader.fault())));
  FilePlace place{mount, entry.at};
  Entry top = entry;
  Inode inode;
  const WalkEnd end = walk.mounts().cross_down(reader, place);
  row.values[kDeleted] = !entry.hashed;
  if (end == WalkEnd::whole)
    row.values[kMounted] = place.entry != entry.at;
  else
    failed(row, kMounted, base::Code::inconsistent, "what is mounted there could not be followed");
  if ((place.entry != entry.at && !walk.entries().read(reader, place.entry, top)) ||
      !walk.inodes().read(reader, top.inode, inode)) {
    failed(row, kType, base::Code::unreadable, std::string(paging::name(reader.fault())));
  } else {
    fill(inode, row);
    if (inode.is_link()) read_target(reader, inode, row);
  }
  rows_.push_back(std::move(row));
}

void Directory::read_target(Reader& reader, const Inode& inode, Row& row) {
  std::string target;
  const LinkEnd end = finder_.walk().inodes().target(reader, inode, target);
  memory_.spend(target.size());
  if (end == LinkEnd::whole)
    row.values[kTarget] = std::move(target);
  else if (end == LinkEnd::unreadable)
    failed(row, kTarget, base::Code::unreadable, std::string(paging::name(reader.fault())));
}

void Directory::fill(const Inode& inode, Row& row) {
  row.values[kType] = std::string(type_name(inode.mode));
  row.values[kMode] = fmt::format("{:04o}", inode.mode & 07777);
  row.values[kPermissions] = permissions_text(inode.mode);
  row.values[kUid] = std::uint64_t{inode.uid};
  row.values[kGid] = std::uint64_t{inode.gid};
  row.values[kSize] = inode.size;
  row.values[kLinks] = std::uint64_t{inode.links};
  row.values[kInode] = inode.number;
  row.values[kDevice] = device_name(inode.is_device() ? inode.own_device : inode.device);
  constexpr std::int64_t kMostSeconds = 9'000'000'000;  // what nanoseconds of 64 bits can hold
  if (inode.modified_s > -kMostSeconds && inode.modified_s < kMostSeconds)
    row.values[kModified] = inode.modified_s * 1'000'000'000 + inode.modified_ns;
}

void Directory::failed(Row& row, std::size_t column, base::Code code, std::string why) {
  row.errors.push_back({kColumnDeclarations.at(column).name, code, std::move(why)});
}

Outcome Directory::collect(Reader& reader) {
  rows_.clear();
  failure_.reset();
  memory_.renew();
  finder_.begin(reader);
  const auto found = finder_.by_path(reader, options_.pid, options_.path);
  if (found) return list(reader, *found);
  failure_ = found.error();
  return {false, {failure_->message}};
}

}  // namespace vitrine::views
