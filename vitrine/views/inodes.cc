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

bool Inodes::read(Reader& reader, base::GuestVirtual at, Inode& inode) const {
  inode.at = at;
  return reader.load(at + mode_, inode.mode) && reader.load(at + uid_, inode.uid) &&
         reader.load(at + gid_, inode.gid) && reader.load(at + links_, inode.links) &&
         reader.load(at + own_device_, inode.own_device) && reader.load(at + size_, inode.size) &&
         reader.load(at + number_, inode.number) &&
         reader.load(at + modified_s_, inode.modified_s) &&
         reader.load(at + modified_ns_, inode.modified_ns) &&
         reader.load(at + mapping_, inode.mapping.value) &&
         reader.load(at + operations_, inode.operations.value) &&
         reader.load(at + super_, inode.super.value) &&
         reader.load(inode.super + device_, inode.device);
}

bool Inodes::file_system(Reader& reader, const Inode& inode, std::string& name) const {
  base::GuestVirtual type;
  base::GuestVirtual at;
  name.clear();
  return reader.load(inode.super + type_, type.value) && reader.load(type + type_name_, at.value) &&
         load_text(reader, at, kMaxName, name);
}

// In memory of its own where the file system keeps it so, else in the file's first page.
LinkEnd Inodes::target(Reader& reader, const Inode& inode, std::string& text) const {
  base::GuestVirtual at;
  text.clear();
  if (!reader.load(inode.at + link_, at.value)) return LinkEnd::unreadable;
  if (at.value == 0) {
    Budget nodes(16);
    const WalkEnd end = pages_.walk(reader, inode.mapping, nodes, [&at](const CachedPages& cached) {
      if (cached.first == 0 && cached.state == PageState::cached) at = cached.at;
    });
    if (at.value == 0)
      return end == WalkEnd::unreadable ? LinkEnd::unreadable : LinkEnd::not_cached;
  }
  return load_text(reader, at, kMaxTarget, text) ? LinkEnd::whole : LinkEnd::unreadable;
}

}  // namespace vitrine::views
