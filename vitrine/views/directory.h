// A directory's entries, named after dir: one row per entry that the guest has cached. Of what is
// no directory, one row for itself.
//
// Walked from a process's root directory along the dentry cache (path_walk.h), which writers change
// under d_lock and rename_lock; it is read here without.
//
// Thread contract: one thread at a time per object.
// Cost: that of the process list and of the walk, and some 20 loads an entry.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/views/file_finder.h"
#include "vitrine/views/reader.h"

namespace vitrine::views {

struct DirectoryOptions {
  std::string path;      // absolute
  std::int64_t pid = 1;  // of the process from whose root directory the path leads
};

class Directory final : public View {
 public:
  // Errors: as FileFinder::attach.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory,
                                                    const DirectoryOptions& options);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "directory"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

  // Why the last collection found no directory: errors as FileFinder::by_path.
  const std::optional<base::Error>& failure() const { return failure_; }

 private:
  enum ColumnIndex : unsigned {
    kName,
    kType,
    kMode,
    kPermissions,
    kUid,
    kGid,
    kSize,
    kLinks,
    kInode,
    kDevice,
    kModified,
    kTarget,
    kMounted,
    kDeleted,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  Directory(FileFinder finder, DirectoryOptions options)
      : finder_(std::move(finder)), options_(std::move(options)) {}

  Outcome list(Reader& reader, const PathWalk::Found& found);
  void add(Reader& reader, base::GuestVirtual mount, const Entry& entry);
  void read_target(Reader& reader, const Inode& inode, Row& row);
  static void fill(const Inode& inode, Row& row);
  static void failed(Row& row, std::size_t column, base::Code code, std::string why);

  FileFinder finder_;
  DirectoryOptions options_;
  Budget memory_{512U << 20};  // bytes that rows take
  std::vector<Row> rows_;
  std::optional<base::Error> failure_;
};

}  // namespace vitrine::views
