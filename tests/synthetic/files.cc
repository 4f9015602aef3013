#include "tests/synthetic/files.h"

namespace vitrine::synthetic {
namespace {

constexpr std::uint64_t descriptors = 64;

}  // namespace

Files::Files(Kernel& kernel, Processes& processes) : kernel_(kernel), processes_(processes) {
  root_entry_ = entry(file_system("rootfs", 2), {}, "/", 0040755);
  root_mount_ = mount(root_entry_, {}, {});
  namespace_ = kernel.allocate(kernel.types().size("struct mnt_namespace"));
  kernel.set(namespace_, "mnt_namespace", "root", root_mount_.value);
  kernel.set(namespace_, "mnt_namespace", "ns.inum", 0xf0000000);
}

GuestVirtual Files::text(const std::string& text) {
  const GuestVirtual at = kernel_.allocate(text.size() + 1);
  kernel_.write(at, text);
  return at;
}

GuestVirtual Files::file_system(const std::string& type, std::uint32_t device) {
  const GuestVirtual kind = kernel_.allocate(8);
  kernel_.set(kind, "file_system_type", "name", text(type).value);
  const GuestVirtual super = kernel_.allocate(kernel_.types().size("struct super_block"));
  kernel_.set(super, "super_block", "s_dev", device);
  kernel_.set(super, "super_block", "s_type", kind.value);
  return super;
}

GuestVirtual Files::entry(GuestVirtual super, GuestVirtual parent, const std::string& name,
                          std::uint16_t mode) {
  const GuestVirtual inode = kernel_.allocate(kernel_.types().size("struct inode"));
  kernel_.set(inode, "inode", "i_mode", mode);
  kernel_.set(inode, "inode", "i_sb", super.value);
  kernel_.set(inode, "inode", "i_ino", next_inode_++);
  kernel_.set(inode, "inode", "i_nlink", 1);
  kernel_.set(inode, "inode", "i_size", 4321);
  kernel_.set(inode, "inode", "i_uid", 1000);
  kernel_.set(inode, "inode", "i_gid", 100);
  kernel_.set(inode, "inode", "i_mapping", kernel_.member(inode, "inode", "i_data").value);
  if (mode >> 12 == 4)
    kernel_.set(inode, "inode", "i_fop", kernel_.symbol("simple_dir_operations").value);
  set_modified(inode, 1'700'000'000, 123'456'789);
  const GuestVirtual entry = kernel_.allocate(kernel_.types().size("struct dentry"));
  kernel_.set(entry, "dentry", "d_hash.pprev", 1);
  kernel_.set(entry, "dentry", "d_parent", parent.value == 0 ? entry.value : parent.value);
  kernel_.set(entry, "dentry", "d_name.len", name.size());
  kernel_.set(entry, "dentry", "d_name.name", text(name).value);
  kernel_.set(entry, "dentry", "d_inode", inode.value);
  if (has_circular_lists()) {
    const GuestVirtual children = kernel_.member(entry, "dentry", "d_subdirs");
    kernel_.put(children, children.value);
  }
  if (parent.value != 0) add_child(parent, entry);
  return entry;
}

bool Files::has_circular_lists() const {
  return kernel_.options().modules == ModuleMemory::layouts;
}

void Files::set_modified(GuestVirtual inode, std::uint64_t seconds, std::uint32_t nanoseconds) {
  const bool older = has_circular_lists();
  kernel_.set(inode, "inode", older ? "i_mtime.tv_sec" : "i_mtime_sec", seconds);
  kernel_.set(inode, "inode", older ? "i_mtime.tv_nsec" : "i_mtime_nsec", nanoseconds);
}

// As the kernel does: the latest first.
void Files::add_child(GuestVirtual directory, GuestVirtual entry) {
  const bool circular = has_circular_lists();
  const GuestVirtual head =
      kernel_.member(directory, "dentry", circular ? "d_subdirs" : "d_children");
  const GuestVirtual node = kernel_.member(entry, "dentry", circular ? "d_child" : "d_sib");
  kernel_.put(node, kernel_.get<std::uint64_t>(head));
  kernel_.put(head, node.value);
}

GuestVirtual Files::link(GuestVirtual super, GuestVirtual parent, const std::string& name,
                         const std::string& target) {
  const GuestVirtual link = entry(super, parent, name, 0120777);
  kernel_.set(inode_of(link), "inode", "i_link", text(target).value);
  return link;
}

GuestVirtual Files::inode_of(GuestVirtual entry) const {
  return GuestVirtual(kernel_.value(entry, "dentry", "d_inode"));
}

GuestVirtual Files::mount(GuestVirtual root_entry, GuestVirtual on, GuestVirtual directory) {
  const GuestVirtual mount = kernel_.allocate(kernel_.types().size("struct mount"));
  const GuestVirtual children = kernel_.member(mount, "mount", "mnt_mounts");
  kernel_.put(children, children.value);
  kernel_.put(children + 8, children.value);
  kernel_.set(mount, "mount", "mnt_id", next_mount_++);
  kernel_.set(mount, "mount", "mnt_parent", on.value == 0 ? mount.value : on.value);
  kernel_.set(mount, "mount", "mnt_mountpoint", directory.value);
  kernel_.set(mount, "mount", "mnt_devname", text("source").value);
  kernel_.set(mount, "mount", "mnt.mnt_root", root_entry.value);
  kernel_.set(mount, "mount", "mnt.mnt_sb", kernel_.value(inode_of(root_entry), "inode", "i_sb"));
  if (on.value == 0) return mount;
  const GuestVirtual head = kernel_.member(on, "mount", "mnt_mounts");
  const GuestVirtual node = kernel_.member(mount, "mount", "mnt_child");
  const GuestVirtual next(kernel_.get<std::uint64_t>(head));
  kernel_.put(node, next.value);
  kernel_.put(node + 8, head.value);
  kernel_.put(next + 8, node.value);
  kernel_.put(head, node.value);
  return mount;
}

void Files::set_path(GuestVirtual at, GuestVirtual mount, GuestVirtual entry) {
  kernel_.set(at, "path", "mnt", kernel_.member(mount, "mount", "mnt").value);
  kernel_.set(at, "path", "dentry", entry.value);
}

void Files::attach(int pid) {
  const Types& types = kernel_.types();
  const GuestVirtual fs = kernel_.allocate(types.size("struct fs_struct"));
  set_path(kernel_.member(fs, "fs_struct", "root"), root_mount_, root_entry_);
  set_path(kernel_.member(fs, "fs_struct", "pwd"), root_mount_, root_entry_);
  const GuestVirtual table = kernel_.allocate(types.size("struct fdtable"));
  kernel_.set(table, "fdtable", "max_fds", descriptors);
  kernel_.set(table, "fdtable", "fd", kernel_.allocate(8 * descriptors).value);
  kernel_.set(table, "fdtable", "close_on_exec", kernel_.allocate(8).value);
  kernel_.set(table, "fdtable", "open_fds", kernel_.allocate(8).value);
  const GuestVirtual files = kernel_.allocate(types.size("struct files_struct"));
  kernel_.set(files, "files_struct", "fdt", table.value);
  const GuestVirtual proxy = kernel_.allocate(types.size("struct nsproxy"));
  kernel_.set(proxy, "nsproxy", "mnt_ns", namespace_.value);
  processes_.set_member(pid, "fs", fs.value);
  processes_.set_member(pid, "files", files.value);
  processes_.set_member(pid, "nsproxy", proxy.value);
}

GuestVirtual Files::open(int pid, GuestVirtual mount, GuestVirtual entry, std::uint32_t flags) {
  const GuestVirtual file = kernel_.allocate(kernel_.types().size("struct file"));
  set_path(kernel_.member(file, "file", "f_path"), mount, entry);
  kernel_.set(file, "file", "f_inode", inode_of(entry).value);
  kernel_.set(file, "file", "f_flags", flags);
  const GuestVirtual files(kernel_.value(processes_.task(pid), "task_struct", "files"));
  const GuestVirtual table(kernel_.value(files, "files_struct", "fdt"));
  const GuestVirtual map(kernel_.value(table, "fdtable", "open_fds"));
  const auto open = kernel_.get<std::uint64_t>(map);
  std::uint64_t number = 0;
  while ((open >> number & 1) != 0) ++number;
  kernel_.put(map, open | 1ULL << number);
  kernel_.put(GuestVirtual(kernel_.value(table, "fdtable", "fd")) + number * 8, file.value);
  return file;
}

}  // namespace vitrine::synthetic
