// What the kernel keeps of a file itself, its struct inode, and where a symbolic link leads.
//
// Thread contract: immutable once attached. Cost: some 15 loads an inode.
#pragma once

#include "vitrine/views/page_cache.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/text.h"

namespace vitrine::views {

struct Inode {
  base::GuestVirtual at;
  base::GuestVirtual mapping;     // struct address_space of its content
  base::GuestVirtual operations;  // struct file_operations
  base::GuestVirtual super;
  std::uint16_t mode = 0;
  std::uint32_t uid = 0, gid = 0;
  std::uint32_t links = 0;
  std::uint32_t device = 0;      // of the file system
  std::uint32_t own_device = 0;  // of a device file
  std::int64_t size = 0;
  std::uint64_t number = 0;
  std::int64_t modified_s = 0;  // since the epoch
  std::uint32_t modified_ns = 0;

  std::uint16_t kind() const { return mode >> 12; }  // S_IFMT
  bool is_directory() const { return kind() == 004; }
  bool is_file() const { return kind() == 010; }
  bool is_link() const { return kind() == 012; }
  bool is_device() const { return kind() == 002 || kind() == 006; }
};

// "file", "dir", "char", "block", "fifo", "socket", "link" or "other".
std::string_view type_name(std::uint16_t mode);
// As ls -l shows them, e.g. "drwxr-xr-x".
std::string permissions_text(std::uint16_t mode);

enum class LinkEnd : std::uint8_t {
  whole,
  unreadable,  // see the reader's fault
  not_cached,  // the guest does not have it in memory, or makes it up when it is asked
};

class Inodes {
 public:
  // Errors: as PageCache::attach.
  static base::Result<Inodes> attach(const kernel::Kernel& kernel, memory::PhysicalMemory& memory);

  bool read(Reader& reader, base::GuestVirtual at, Inode& inode) const;

  // The kind of file system that it is on, e.g. "ext4".
  bool file_system(Reader& reader, const Inode& inode, std::string& name) const;

  // Where a symbolic link leads. REQUIRES: inode.is_link().
  LinkEnd target(Reader& reader, const Inode& inode, std::string& text) const;

  const PageCache& pages() const { return pages_; }

 private:
  static constexpr std::size_t kMaxName = 32;      // of a kind of file system, bytes
  static constexpr std::size_t kMaxTarget = 4095;  // PATH_MAX without its zero byte

  explicit Inodes(PageCache pages) : pages_(pages) {}

  PageCache pages_;
  std::uint32_t mode_ = 0, uid_ = 0, gid_ = 0, links_ = 0, own_device_ = 0, size_ = 0, number_ = 0,
                modified_s_ = 0, modified_ns_ = 0, mapping_ = 0, operations_ = 0, super_ = 0,
                link_ = 0;
  std::uint32_t device_ = 0, type_ = 0;  // of super_block
  std::uint32_t type_name_ = 0;          // of file_system_type
};

}  // namespace vitrine::views
