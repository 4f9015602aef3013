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

#include "vitrine/views/descriptors.h"
#include "vitrine/views/file_details.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/reader.h"

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
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return files_.size(); }
  Row row(std::size_t index) const override;

 private:
  enum ColumnIndex : unsigned {
    kPid,
    kComm,
    kUse,
    kFd,
    kAccess,
    kType,
    kDevice,
    kSize,
    kOffset,
    kFlags,
    kInode,
    kLinks,
    kDeleted,
    kPath,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  // Offsets in bytes within the structure that holds each.
  struct Fields {
    std::uint32_t files = 0, fs = 0, exe = 0;  // task_struct; mm_struct
    std::uint32_t root = 0, directory = 0;     // fs_struct
    std::uint32_t flags = 0, position = 0;     // file
    std::uint32_t files_lock = 0, fs_lock = 0;
    LockKind fs_lock_kind = LockKind::spinlock;
  };

  enum class Use : std::uint8_t { descriptor, directory, root, program };

  struct File {
    std::size_t process = 0;  // its place in the process list
    Use use = Use::descriptor;
    std::uint32_t number = 0;  // of the descriptor
    std::uint32_t flags = 0;
    bool close_on_exec = false;
    std::int64_t position = 0;
    FileDetails details = {};
  };

  Files(std::unique_ptr<View> processes, FileDecoder decoder, Descriptors descriptors,
        Fields fields, const FileOptions& options)
      : processes_(std::move(processes)),
        decoder_(std::move(decoder)),
        descriptors_(descriptors),
        fields_(fields),
        options_(options) {}

  static Fields resolve(Resolver& at, const kernel::TypeLookup& types);
  const Processes& processes() const { return static_cast<const Processes&>(*processes_); }

  Outcome collect_rows(Reader& reader, Outcome outcome);
  bool collect_process(Reader& reader, std::size_t index);
  bool collect_descriptors(Reader& reader, std::size_t index);
  void collect_directories(Reader& reader, std::size_t index, base::GuestVirtual fs);
  void add_open_file(Reader& reader, base::GuestVirtual at, File file);
  std::unique_ptr<View> processes_;
  FileDecoder decoder_;
  Descriptors descriptors_;
  Fields fields_;
  FileOptions options_;
  std::vector<File> files_;
  std::vector<ObjectGuard> guards_;
};

}  // namespace vitrine::views
