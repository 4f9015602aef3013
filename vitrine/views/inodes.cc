#include "vitrine/views/inodes.h"

#include <array>

namespace vitrine::views {

std::string_view type_name(std::uint16_t mode) {
  constexpr std::array<std::string_view, 16> kNames{
      "other", "fifo",  "char", "other", "dir",    "other", "block", "other",
      "file",  "other", "link", "other", "socket", "other", "other", "other"};
  return kNames.at(mode >> 12);
}

std::string permissions_text(std::uint16_t mode) {
  constexpr std::string_view kKinds = "?pc?d?b?-?l?s???";
  constexpr std::string_view kBits = "rwxrwxrwx";
  std::string text(1, kKinds[mode >> 12]);
  for (unsigned bit = 0; bit < kBits.size(); ++bit)
    text += (mode >> (8 - bit) & 1) != 0 ? kBits[bit] : '-';
  const auto mark = [&text](bool set, std::size_t at, char with, char without) {
    if (set) text[at] = text[at] == 'x' ? with : without;
  };
  mark((mode & 04000) != 0, 3, 's', 'S');
  mark((mode & 02000) != 0, 6, 's', 'S');
  mark((mode & 01000) != 0, 9, 't', 'T');
  return text;
}

base::Result<Inodes> Inodes::attach(const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
  auto pages = PageCache::attach(kernel, memory);
  if (!pages) return base::fail(pages.error());
  Inodes inodes(*pages);
  Resolver at(kernel.types);
  inodes.mode_ = at("inode", "i_mode");
  inodes.uid_ = at("inode", "i_uid");
  inodes.gid_ = at("inode", "i_gid");
  inodes.links_ = at("inode", "i_nlink");
  inodes.own_device_ = at("inode", "i_rdev");
  inodes.size_ = at("inode", "i_size");
  inodes.number_ = at("inode", "i_ino");
  // Renamed in 6.7 (12cd44023651), taken apart in 6.11 (3aa63a569c64).
  inodes.modified_s_ = at("inode", {"i_mtime_sec", "__i_mtime.tv_sec", "i_mtime.tv_sec"});
  inodes.modified_ns_ = at("inode", {"i_mtime_nsec", "__i_mtime.tv_nsec", "i_mtime.tv_nsec"});
  inodes.mapping_ = at("inode", "i_mapping");
  inodes.operations_ = at("inode", "i_fop");
  inodes.super_ = at("inode", "i_sb");
  inodes.link_ = at("inode", "i_link");
  inodes.device_ = at("super_block", "s_dev");
  inodes.type_ = at("super_block", "s_type");
  inodes.type_name_ = at("file_system_type", "name");
  if (at.error()) return base::fail(*at.error());
  return inodes;
}

}  // namespace vitrine::views
