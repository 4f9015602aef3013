#include "vitrine/views/pipe_ends.h"

namespace vitrine::views {

PipeEnds PipeEnds::attach(const kernel::TypeLookup& types) {
  PipeEnds pipes;
  Resolver at(types);
  pipes.files_ = at("task_struct", "files");
  pipes.table_ = at("files_struct", "fdt");
  pipes.max_ = at("fdtable", "max_fds");
  pipes.array_ = at("fdtable", "fd");
  pipes.open_ = at("fdtable", "open_fds");
  pipes.mode_ = at("file", "f_mode");
  pipes.inode_ = at("file", "f_inode");
  pipes.pipe_ = at("file", "private_data");
  pipes.kind_ = at("inode", "i_mode");
  // Two queues since 5.6 (0ddad21d3e99).
  pipes.readers_ = at("pipe_inode_info", "rd_wait.head");
  pipes.writers_ = at("pipe_inode_info", "wr_wait.head");
  pipes.entry_ = at("wait_queue_entry", "entry");
  pipes.known_ = !at.error();
  return pipes;
}

std::optional<PipeEnds::Found> PipeEnds::find(Reader& reader, std::span<const Process> processes,
                                              std::size_t number, bool reads,
                                              std::span<const base::GuestVirtual> entries) {
  if (!known_) return std::nullopt;
  if (!collected_) collect(reader, processes);
  collected_ = true;
  const std::int32_t process = processes[number].tgid;
  for (const End& own : ends_) {
    if (!words_.spend(1)) return std::nullopt;
    if (own.process != process || (own.mode & (reads ? kReads : kWrites)) == 0) continue;
    const base::GuestVirtual head = own.pipe + (reads ? readers_ : writers_);
    if (!std::ranges::any_of(entries, [&](base::GuestVirtual entry) {
          return in_queue(reader, head, entry + entry_);
        }))
      continue;
    Found found{.pipe = own.pipe, .other = {}};
    for (const End& end : ends_) {
      if (end.pipe != own.pipe || end.process == process ||
          (end.mode & (reads ? kWrites : kReads)) == 0)
        continue;
      if (found.other && processes[*found.other].tgid != end.process) {
        found.other.reset();
        break;
      }
      found.other = end.number;
    }
    return found;
  }
  return std::nullopt;
}

bool PipeEnds::in_queue(Reader& reader, base::GuestVirtual head, base::GuestVirtual entry) {
  base::GuestVirtual at = head;
  for (std::size_t i = 0; i < kMaxQueue && words_.spend(1); ++i) {
    if (!reader.load(at, at.value) || at == head) return false;
    if (at == entry) return true;
  }
  return false;
}

void PipeEnds::collect(Reader& reader, std::span<const Process> processes) {
  for (std::size_t number = 0; number < processes.size(); ++number)
    if (processes[number].pid == processes[number].tgid)
      collect_process(reader, processes[number], number);
}

void PipeEnds::collect_process(Reader& reader, const Process& process, std::size_t number) {
  constexpr std::uint16_t kFifo = 001;
  base::GuestVirtual files;
  base::GuestVirtual table;
  base::GuestVirtual array;
  base::GuestVirtual open;
  std::uint32_t max = 0;
  if (!reader.load(process.task + files_, files.value) || files.value == 0 ||
      !reader.load(files + table_, table.value) || !reader.load(table + max_, max) ||
      !reader.load(table + array_, array.value) || !reader.load(table + open_, open.value))
    return;
  for (std::uint32_t word = 0; word < std::min(max, kMaxDescriptors) / 64; ++word) {
    std::uint64_t bits = 0;
    if (!words_.spend(1) || !reader.load(open + word * 8ULL, bits)) return;
    for (; bits != 0; bits &= bits - 1) {
      const std::uint64_t descriptor =
          word * 64ULL + static_cast<std::uint32_t>(std::countr_zero(bits));
      base::GuestVirtual file;
      base::GuestVirtual inode;
      std::uint16_t kind = 0;
      End end{.pipe = {}, .process = process.tgid, .number = number};
      if (ends_.size() >= kMaxEnds || !words_.spend(1)) return;
      if (reader.load(array + descriptor * 8, file.value) && file.value != 0 &&
          reader.load(file + inode_, inode.value) && reader.load(inode + kind_, kind) &&
          kind >> 12 == kFifo && reader.load(file + pipe_, end.pipe.value) &&
          reader.load(file + mode_, end.mode))
        ends_.push_back(end);
    }
  }
}

}  // namespace vitrine::views
