// The kernel's log, named after dmesg: one row per record, oldest first, all that the ring still
// holds, whether or not it was cleared for dmesg(1).
//
// Read as the kernel's own lockless reader does (kernel/printk/printk_ringbuffer.c, since Linux
// 5.10): descriptors from the oldest to the newest, those only that are committed, each one's
// text with the id that stands before it, and its state again, so that a record that was
// overwritten meanwhile is left out rather than shown mixed up. The log of a kernel that has
// panicked is read the same way.
//
// Thread contract: one thread at a time per object.
// Cost: about 12 loads and one copy of its text per record.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

struct LogOptions {
  // Up to the first record that is still being written or may still be continued, as the kernel's
  // own readers: for who looks again and shows each record once.
  bool finished_only = false;
};

class KernelLog final : public View {
 public:
  // Resolves every field in the guest's own types. Errors: the member or symbol that is missing;
  // `unsupported` for a kernel before 5.10, whose log is kept otherwise.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory,
                                                    const LogOptions& options = {});

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "log"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return records_.size(); }
  Row row(std::size_t index) const override;

 private:
  enum ColumnIndex : unsigned {
    kSeq,
    kTime,
    kPriority,
    kLevel,
    kFacility,
    kCaller,
    kSubsystem,
    kDevice,
    kText,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  // Offsets in bytes within the structure that holds each, and sizes.
  struct Fields {
    base::GuestVirtual ring_pointer;  // the variable `prb`
    std::uint32_t count_bits = 0, descriptors = 0, infos = 0, head_id = 0, tail_id = 0;
    std::uint32_t size_bits = 0, data = 0;
    std::uint32_t descriptor_size = 0, state = 0, begin = 0, next = 0;
    std::uint32_t info_size = 0, seq = 0, time = 0, text_length = 0, facility = 0, caller = 0,
                  subsystem = 0, device = 0;
    std::uint32_t level = 0, level_shift = 0, level_bits = 0;  // the byte, and where in it
    std::uint32_t block_header = 0;                            // bytes before a record's text
  };

  // The ring as it was when a collection began.
  struct Ring {
    base::GuestVirtual descriptors, infos, data;
    std::uint64_t count = 0;  // descriptors
    std::uint64_t size = 0;   // bytes of text
    std::uint64_t head = 0, tail = 0;
  };

  enum class Text : std::uint8_t {
    read,
    lost,        // there was no room for it when it was logged
    damaged,     // its place in the ring is none
    left_out,    // the texts together claim more than the ring can hold
    unreadable,  // see the fault
  };

  struct Record {
    std::uint64_t seq = 0;
    std::uint64_t time_ns = 0;
    std::uint32_t caller = 0;
    std::uint8_t facility = 0;
    std::uint8_t level = 0;
    std::array<char, 16> subsystem{};
    std::array<char, 48> device{};
    std::size_t text = 0;  // where it begins in text_
    std::size_t length = 0;
    Text state = Text::read;
    paging::Fault fault = paging::Fault::none;  // where it is unreadable
  };

  KernelLog(Fields fields, const LogOptions& options) : fields_(fields), options_(options) {}

  static base::Result<Fields> resolve(const kernel::Kernel& kernel);

  bool read_ring(Reader& reader, Ring& ring) const;
  bool read_record(Reader& reader, const Ring& ring, std::uint64_t id);
  bool read_info(Reader& reader, base::GuestVirtual at, Record& record,
                 std::uint16_t& length) const;
  bool read_text(Reader& reader, const Ring& ring, std::uint64_t begin, std::uint64_t next,
                 std::uint16_t length, std::uint64_t id, Record& record);

  Fields fields_;
  LogOptions options_;
  std::vector<Record> records_;
  std::string text_;  // of all records
  std::size_t left_out_ = 0;
  bool waits_ = false;  // a record was met that is not finished
};

}  // namespace vitrine::views
