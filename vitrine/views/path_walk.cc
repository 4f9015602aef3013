#include "vitrine/views/path_walk.h"

#include <algorithm>
#include <array>

namespace vitrine::views {

base::Result<PathWalk> PathWalk::attach(const kernel::Kernel& kernel,
                                        memory::PhysicalMemory& memory) {
  const auto inodes = Inodes::attach(kernel, memory);
  if (!inodes) return base::fail(inodes.error());
  Resolver at(kernel.types);
  PathWalk walk(*inodes, Paths::attach(at), Entries::attach(at, kernel.types),
                MountTree::attach(at));
  if (at.error()) return base::fail(*at.error());
  // fs/libfs.c; tmpfs has the second since 6.6.
  constexpr std::array<std::string_view, 2> kOperations{"simple_dir_operations",
                                                        "simple_offset_dir_operations"};
  for (const auto& found : kernel.symbols.find(kOperations))
    if (found) walk.in_memory_.push_back(*found);
  return walk;
}

bool PathWalk::lives_in_memory(const Inode& directory) const {
  return std::ranges::find(in_memory_, directory.operations) != in_memory_.end();
}

void PathWalk::prepend(std::string_view path, std::deque<std::string>& parts) {
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    const std::string_view part = slash == std::string_view::npos ? path : path.substr(slash + 1);
    // What ends with a slash has to be a directory.
    if (!part.empty())
      parts.emplace_front(part);
    else if (parts.empty())
      parts.emplace_front(".");
    path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  }
}

base::Error PathWalk::no_such(const std::string& part, bool sure) {
  if (sure) return {base::Code::absent, "the guest has no \"" + part + "\" there"};
  return {base::Code::absent, "\"" + part + "\" is not in the guest's cache of directories",
          "either there is none, or nobody in the guest has looked at it lately: only what the "
          "guest has in memory can be seen"};
}

base::Error PathWalk::not_followed(const std::string& part, LinkEnd end) {
  if (end == LinkEnd::unreadable)
    return {base::Code::unreadable, "the symbolic link \"" + part + "\" can't be read"};
  return {base::Code::absent,
          "where the symbolic link \"" + part + "\" leads is not in the guest's memory",
          "name the file that it leads to"};
}

base::Error PathWalk::failed(const Reader& reader, WalkEnd end) {
  if (end == WalkEnd::astray)
    return {base::Code::inconsistent,
            "the guest's directories do not come to an end: they are damaged, or changed while "
            "they were read",
            "look again"};
  return {base::Code::unreadable,
          "the guest's directories can't be read: " + std::string(paging::name(reader.fault())),
          {},
          reader.fault_address().value};
}

auto PathWalk::find(Reader& reader, const FilePlace& root, std::string_view path)
    -> base::Result<Found> {
  if (!path.starts_with('/') || path.size() > kMaxPath || path.find('\0') != std::string_view::npos)
    return base::fail(base::Code::invalid, "\"" + std::string(path) + "\" is no absolute path",
                      "it begins with / and has at most 4096 bytes");
  Course course{.root = root, .at = {}, .inode = {}, .parts = {}};
  if (auto arrived = arrive(reader, course, root); !arrived) return base::fail(arrived.error());
  prepend(path, course.parts);
  while (!course.parts.empty()) {
    const std::string part = std::move(course.parts.front());
    course.parts.pop_front();
    if (auto stepped = step(reader, course, part); !stepped) return base::fail(stepped.error());
  }
  return Found{course.at, course.inode};
}

base::Result<void> PathWalk::step(Reader& reader, Course& course, const std::string& part) {
  if (!course.inode.is_directory())
    return base::fail(base::Code::absent, "the path leads through what is no directory");
  if (part == ".") return {};
  if (part == "..") return step_up(reader, course);
  const FilePlace directory = course.at;
  const Inode inode = course.inode;
  const auto entry = look_up(reader, course, part);
  if (!entry) return base::fail(entry.error());
  if (auto arrived = arrive(reader, course, {directory.mount, *entry}); !arrived) return arrived;
  if (!course.inode.is_link()) return {};
  if (auto followed = follow(reader, course, directory, part); !followed) return followed;
  if (course.at == directory) course.inode = inode;
  return {};
}

base::Result<void> PathWalk::step_up(Reader& reader, Course& course) {
  FilePlace place = course.at;
  if (const WalkEnd end = mounts_.cross_up(reader, course.root, place); end != WalkEnd::whole)
    return base::fail(failed(reader, end));
  if (place != course.root && !entries_.parent(reader, place.entry, place.entry))
    return base::fail(failed(reader, WalkEnd::unreadable));
  return arrive(reader, course, place);
}

base::Result<base::GuestVirtual> PathWalk::look_up(Reader& reader, const Course& course,
                                                   const std::string& part) {
  base::GuestVirtual found;
  bool known_absent = false;
  bool readable = true;
  std::string name;
  const WalkEnd end = entries_.walk(reader, course.at.entry, steps_, [&](const Entry& entry) {
    if (!entry.hashed) return true;
    const bool named = names_.name(reader, entry.at, name);
    readable = readable && named;
    if (!named || name != part) return true;
    known_absent = entry.inode.value == 0;
    found = entry.at;
    return known_absent;
  });
  if (found.value != 0 && !known_absent) return found;
  if (known_absent) return base::fail(no_such(part, true));
  if (end != WalkEnd::whole) return base::fail(failed(reader, end));
  if (!readable) return base::fail(failed(reader, WalkEnd::unreadable));
  return base::fail(no_such(part, lives_in_memory(course.inode)));
}

// The course goes on at the directory that the link is in, or at the root.
base::Result<void> PathWalk::follow(Reader& reader, Course& course, const FilePlace& directory,
                                    const std::string& part) {
  std::string target;
  const LinkEnd end = inodes_.target(reader, course.inode, target);
  if (end != LinkEnd::whole || target.empty()) return base::fail(not_followed(part, end));
  if (++course.links > kMaxLinks || course.parts.size() > kMaxParts)
    return base::fail(
        base::Code::absent,
        "the path leads through too many symbolic links: they may lead to each other");
  prepend(target, course.parts);
  if (target.starts_with('/')) return arrive(reader, course, course.root);
  course.at = directory;
  return {};
}

// With what is mounted there.
base::Result<void> PathWalk::arrive(Reader& reader, Course& course, FilePlace place) {
  Entry entry;
  if (place != course.root)
    if (const WalkEnd end = mounts_.cross_down(reader, place); end != WalkEnd::whole)
      return base::fail(failed(reader, end));
  if (!entries_.read(reader, place.entry, entry) ||
      !inodes_.read(reader, entry.inode, course.inode))
    return base::fail(failed(reader, WalkEnd::unreadable));
  course.at = place;
  return {};
}

}  // namespace vitrine::views
