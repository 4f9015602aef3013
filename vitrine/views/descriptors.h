// The open files of a process, from its table of descriptors, as views of files and sockets walk
// it.
//
// Guarded by files_struct.file_lock for writers, and read here without it, as RCU readers do.
//
// Thread contract: one thread at a time. Cost: 6 loads a process, 1 or 2 for each 64 descriptors
// that its table has room for, 1 a descriptor.
#pragma once

#include <algorithm>
#include <bit>

#include "vitrine/paging/virtual_reader.h"
#include "vitrine/views/budget.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

struct Descriptor {
  std::uint32_t number = 0;
  bool close_on_exec = false;
  base::GuestVirtual file;  // struct file
};

class Descriptors {
 public:
  // `at` tells what is missing.
  static Descriptors attach(Resolver& at);

  // To be called when a collection begins.
  void renew() { words_.renew(); }
  // Whether the tables of this collection were larger than all that a guest can have.
  bool spent() const { return words_.spent(); }

  // Calls take(descriptor) with each open one of a task, until it returns false. False where
  // something is missing.
  template <class Take>
  bool each(Reader& reader, base::GuestVirtual task, Take take);

 private:
  static constexpr std::uint32_t kMaxDescriptors = 1U << 20;  // sysctl_nr_open's default

  std::uint32_t files_ = 0;                                           // of task_struct
  std::uint32_t table_ = 0;                                           // of files_struct
  std::uint32_t max_ = 0, array_ = 0, open_ = 0, close_on_exec_ = 0;  // of fdtable
  Budget words_{16U << 20};  // of the maps of open descriptors
};

// The bitmap of open descriptors first: the table itself is mostly empty.
template <class Take>
bool Descriptors::each(Reader& reader, base::GuestVirtual task, Take take) {
  base::GuestVirtual files;
  base::GuestVirtual table;
  base::GuestVirtual array;
  base::GuestVirtual open;
  base::GuestVirtual closing;
  std::uint32_t max = 0;
  if (!reader.load(task + files_, files.value)) return false;
  if (files.value == 0) return true;
  if (!reader.load(files + table_, table.value) || !reader.load(table + max_, max) ||
      !reader.load(table + array_, array.value) || !reader.load(table + open_, open.value) ||
      !reader.load(table + close_on_exec_, closing.value))
    return false;
  bool whole = max <= kMaxDescriptors;
  for (std::uint32_t word = 0; word < std::min(max, kMaxDescriptors) / 64; ++word) {
    std::uint64_t bits = 0;
    std::uint64_t closing_bits = 0;
    if (!words_.spend(1) || !reader.load(open + word * 8ULL, bits)) return false;
    if (bits != 0 && !reader.load(closing + word * 8ULL, closing_bits)) return false;
    for (; bits != 0; bits &= bits - 1) {
      const auto bit = static_cast<std::uint32_t>(std::countr_zero(bits));
      Descriptor descriptor{
          .number = word * 64 + bit, .close_on_exec = (closing_bits >> bit & 1) != 0, .file = {}};
      if (!reader.load(array + descriptor.number * 8ULL, descriptor.file.value)) whole = false;
      // Zero: a descriptor that is reserved for a file that is just being opened.
      else if (descriptor.file.value != 0 && !take(descriptor))
        return false;
    }
  }
  return whole;
}

}  // namespace vitrine::views
