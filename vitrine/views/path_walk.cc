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

}  // namespace vitrine::views
