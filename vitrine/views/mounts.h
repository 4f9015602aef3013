// What is mounted where, named after mount: one row per mount of each mount namespace that a
// process lives in.
//
// Walked along the tree of mounts (mnt_mounts), which writers change under namespace_sem and
// mount_lock; the lists and trees of a namespace have changed with almost every kernel, this has
// not.
//
// Thread contract: one thread at a time per object.
// Cost: that of the process list, and some 25 loads a mount.
#pragma once

#include <array>
#include <set>
#include <string>
#include <vector>

#include "vitrine/views/paths.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/reader.h"

namespace vitrine::views {

class Mounts final : public View {
 public:
  // Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "mounts"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  std::span<const GlobalGuard> global_guards() const override;
  void add_object_guards(std::vector<ObjectGuard>& guards) const override {
    processes_->add_object_guards(guards);
  }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  enum ColumnIndex : unsigned {
    kNamespace,
    kId,
    kParent,
    kDevice,
    kRoot,
    kPath,
    kOptions,
    kReadOnly,
    kType,
    kSource,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  // Offsets in bytes within the structure that holds each.
  struct Fields {
    std::uint32_t nsproxy = 0, mount_namespace = 0;  // task_struct; nsproxy
    std::uint32_t root = 0, number = 0;              // mnt_namespace
    std::uint32_t parent = 0, mountpoint = 0, mounts = 0, child = 0, id = 0, source = 0,
                  mount = 0;                                           // mount
    std::uint32_t root_entry = 0, super = 0, flags = 0;                // vfsmount
    std::uint32_t device = 0, super_flags = 0, type = 0, subtype = 0;  // super_block
    std::uint32_t type_name = 0;                                       // file_system_type
  };

  Mounts(std::unique_ptr<View> processes, Paths paths, Fields fields)
      : processes_(std::move(processes)), paths_(std::move(paths)), fields_(fields) {}

  static Fields resolve(Resolver& at);
  const Processes& processes() const { return static_cast<const Processes&>(*processes_); }

  Outcome collect_rows(Reader& reader, Outcome outcome);
  // `whole` becomes false where one may be missing.
  std::vector<base::GuestVirtual> namespaces(Reader& reader, bool& whole) const;
  bool collect_namespace(Reader& reader, base::GuestVirtual at);
  bool add_children(Reader& reader, base::GuestVirtual mount,
                    std::vector<base::GuestVirtual>& waiting) const;
  void add_mount(Reader& reader, base::GuestVirtual at, std::uint32_t name_space);
  void read_numbers(Reader& reader, base::GuestVirtual at, Row& row) const;
  void read_paths(Reader& reader, base::GuestVirtual mount, Row& row);
  void read_file_system(Reader& reader, base::GuestVirtual mount, Row& row);
  static void put(const Reader& reader, Row& row, std::size_t column, bool readable, Value value);
  bool read_text(Reader& reader, base::GuestVirtual at, std::string& text);

  std::unique_ptr<View> processes_;
  Paths paths_;
  Fields fields_;
  Budget text_{64U << 20};             // bytes, of all mounts, besides paths
  std::set<base::GuestVirtual> seen_;  // mounts: a tree has each once
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
