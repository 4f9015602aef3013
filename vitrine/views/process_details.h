// What more there is to be told of a process, as /proc/PID shows it: how it is scheduled, its
// processor time, control group, namespaces, terminal, rights and wait channel. Columns of the view
// `processes` that are collected on demand only, so that the others stay as quick as they are.
//
// Thread contract: one thread at a time per object.
// Cost: of all together some 200 loads a process, most of them for the wait channel.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "vitrine/views/cgroup_paths.h"
#include "vitrine/views/cpu_times.h"
#include "vitrine/views/namespaces.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/wait_channel.h"

namespace vitrine::views {

class ProcessDetails {
 public:
  static std::span<const Column> declared_columns();

  // Resolves what the columns need that are `wanted`, by name; null where that is none of these.
  // What is missing in this kernel, the rows will say. `cpu_offsets`: of the CPUs whose parts of
  // memory counters are to be added; none where this kernel tells the global part alone.
  static std::unique_ptr<ProcessDetails> attach(const kernel::Kernel& kernel,
                                                memory::PhysicalMemory& memory,
                                                std::span<const std::string_view> wanted,
                                                std::vector<std::uint64_t> cpu_offsets);

  // `threads`: the rows are threads, not processes.
  void collect(Reader& reader, std::span<const Process> processes, bool threads);

  std::size_t size() const { return rows_.size(); }

  // Adds the columns, and why some are null, to the row of a process collected last.
  void add_to(Row& row, std::size_t index) const;

 private:
  enum ColumnIndex : unsigned {
    kNice,
    kPriority,
    kPolicy,
    kRtPriority,
    kCpu,
    kCpuTime,
    kUserTime,
    kSystemTime,
    kVirtualSize,
    kSwap,
    kCgroup,
    kFirstNamespace,
    kTty = kFirstNamespace + kNamespaces,
    kFirstCapability,
    kSeccomp = kFirstCapability + 5,
    kNoNewPrivileges,
    kWaitChannel,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  // What is read, and resolved, together.
  enum Group : unsigned {
    scheduling,
    times,
    memory,
    cgroup,
    namespaces,
    terminal,
    capabilities,
    seccomp,
    privileges,
    waiting,
    kGroups
  };
  // Where the columns of each group begin; then the end.
  static const std::array<unsigned, kGroups + 1> kGroupBegins;

  // Offsets in bytes within the structure that holds each.
  struct Fields {
    std::uint32_t static_priority = 0, priority = 0, policy = 0, rt_priority = 0, cpu = 0;
    std::uint32_t total_vm = 0, swap = 0, swap_per_cpu = 0;  // mm_struct
    std::uint32_t signal = 0, tty = 0, tty_name = 0;   // task_struct; signal_struct; tty_struct
    std::uint32_t cred = 0;                            // task_struct
    std::array<std::uint32_t, 5> capabilities{};       // cred
    std::uint32_t seccomp_mode = 0, atomic_flags = 0;  // task_struct
  };

  ProcessDetails() = default;

  void resolve(const kernel::Kernel& kernel, memory::PhysicalMemory& physical, Group group);
  void resolve_scheduling(const kernel::TypeLookup& types, Resolver& at);
  void resolve_memory(const kernel::TypeLookup& types, Resolver& at);
  void resolve_rights(Resolver& at);

  void collect_group(Reader& reader, const Process& process, Group group, bool threads, Row& row);
  void read_scheduling(Reader& reader, const Process& process, Row& row) const;
  void read_times(Reader& reader, const Process& process, bool of_thread, Row& row);
  void read_memory(Reader& reader, const Process& process, Row& row) const;
  void read_namespaces(Reader& reader, const Process& process, Row& row) const;
  void read_terminal(Reader& reader, const Process& process, Row& row) const;
  void read_capabilities(Reader& reader, const Process& process, Row& row) const;
  void read_seccomp(Reader& reader, const Process& process, Row& row) const;
  void read_wait_channel(Reader& reader, const Process& process, Row& row);
  // The value, or that it could not be read.
  static void put(const Reader& reader, Row& row, unsigned column, bool readable, Value value);
  static void put_error(Row& row, unsigned column, base::Code code, std::string message);

  std::array<bool, kGroups> wanted_{};
  std::array<std::optional<base::Error>, kGroups> missing_;
  Fields fields_;
  std::vector<std::uint64_t> cpu_offsets_;
  CpuTimeReader times_;
  CgroupPaths cgroups_;
  NamespaceReader namespaces_;
  std::optional<WaitChannel> wait_channel_;
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
