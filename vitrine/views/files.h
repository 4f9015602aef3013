// Files that processes have open, named after lsof: one row per file descriptor, and one each for
// the current directory, the root directory and the program of a process.
//
// A process's table of descriptors is guarded by files_struct.file_lock for writers, and read here
// without it, as RCU readers do.
//
// Thread contract: one thread at a time per object.
// Cost: that of the process list, some 25 loads a file, and those of its path (paths.h).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/views/paths.h"
#include "vitrine/views/processes.h"

namespace vitrine::views {

struct FileOptions {
  std::optional<std::int64_t> pid;  // of a process; nothing: all
};

class Files final : public View {
 public:
  // Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory,
                                                    const FileOptions& options);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "files"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  std::span<const GlobalGuard> global_guards() const override;
  void add_object_guards(std::vector<ObjectGuard>& guards) const override;
  Outcome collect(const AnyReader& reader) override;
  std::size_t size() const override { return files_.size(); }
  Row row(std::size_t index) const override;

 private:
  // Offsets in bytes within the structure that holds each.
  struct Fields {
    std::uint32_t files = 0, fs = 0, exe = 0;  // task_struct; mm_struct
    std::uint32_t table = 0, max = 0, array = 0, open = 0, close_on_exec = 0;
    std::uint32_t root = 0, directory = 0;  // fs_struct
    std::uint32_t files_lock = 0, fs_lock = 0;
    LockKind fs_lock_kind = LockKind::spinlock;
    std::uint32_t mount_in_path = 0, entry_in_path = 0;
    std::uint32_t path = 0, inode = 0, flags = 0, position = 0;  // file
    std::uint32_t entry_inode = 0;                               // dentry
    std::uint32_t mode = 0, number = 0, size = 0, links = 0, super = 0, device = 0,
                  private_data = 0;  // inode
    std::uint32_t super_device = 0, super_type = 0, type_name = 0;
    bool names_namespaces = false;
    std::uint32_t namespace_operations = 0, namespace_name = 0;
  };

  enum class Use : std::uint8_t { descriptor, directory, root, program };

  struct File {
    std::size_t process = 0;  // its place in the process list
    Use use = Use::descriptor;
    std::uint32_t number = 0;  // of the descriptor
    std::uint32_t flags = 0;
    bool close_on_exec = false;
    std::int64_t position = 0;
    std::uint16_t mode = 0;
    std::uint32_t links = 0;
    std::uint32_t device = 0;      // of the file system
    std::uint32_t own_device = 0;  // of a device file
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::string path = {};
    bool deleted = false;
    PathEnd end = PathEnd::whole;
    paging::Fault fault = paging::Fault::none;  // where something is unreadable
    bool unreadable = false;                    // all but its path
  };

  Files(std::unique_ptr<View> processes, Paths paths, Fields fields, const FileOptions& options)
      : processes_(std::move(processes)),
        paths_(std::move(paths)),
        fields_(fields),
        options_(options) {}

  static Fields resolve(Resolver& at, const kernel::TypeLookup& types);
  const Processes& processes() const { return static_cast<const Processes&>(*processes_); }

  template <class Reader>
  Outcome collect_with(Reader& reader, Outcome outcome);
  template <class Reader>
  bool collect_process(Reader& reader, std::size_t index);
  template <class Reader>
  bool collect_descriptors(Reader& reader, std::size_t index, base::GuestVirtual files);
  template <class Reader>
  void collect_directories(Reader& reader, std::size_t index, base::GuestVirtual fs);
  template <class Reader>
  void add_open_file(Reader& reader, base::GuestVirtual at, File file);
  template <class Reader>
  void add_place(Reader& reader, base::GuestVirtual path, base::GuestVirtual inode, File file);
  template <class Reader>
  bool read_inode(Reader& reader, base::GuestVirtual at, File& file) const;
  template <class Reader>
  void read_path(Reader& reader, const FilePlace& place, base::GuestVirtual inode, File& file);
  template <class Reader>
  bool read_pseudo_path(Reader& reader, const FilePlace& place, base::GuestVirtual inode,
                        File& file, bool& is);

  std::unique_ptr<View> processes_;
  Paths paths_;
  Fields fields_;
  FileOptions options_;
  std::vector<File> files_;
  std::vector<ObjectGuard> guards_;
  Budget words_{16U << 20};  // of the maps of open descriptors, of all processes
};

}  // namespace vitrine::views
