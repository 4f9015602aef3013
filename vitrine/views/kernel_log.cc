#include "vitrine/views/kernel_log.h"

#include <algorithm>
#include <cstring>

#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/resolver.h"
#include "vitrine/views/text.h"

namespace vitrine::views {
namespace {

using base::Code;
using base::fail;

// kernel/printk/printk_ringbuffer.h: the two highest bits of a descriptor's state variable say what
// it is, the others are its id. A text's position with bit 0 set says that there is none: the line
// is empty, or it was lost.
constexpr unsigned kStateShift = 62;
constexpr std::uint64_t kIdMask = (std::uint64_t{1} << kStateShift) - 1;
constexpr std::uint64_t kRecordReserved = 0;
constexpr std::uint64_t kRecordCommitted = 1;
constexpr std::uint64_t kRecordFinalized = 2;
constexpr std::uint64_t kNoText = 1;
constexpr std::uint64_t kEmptyLine = 3;

constexpr std::uint32_t kBlockHeader = 8;  // a text's own id, before it

constexpr std::uint32_t kMaxSizeBits = 31;   // LOG_BUF_LEN_MAX
constexpr std::uint32_t kMaxCountBits = 26;  // 32 bytes of text a record
constexpr std::size_t kMaxRecords = 4U << 20;
constexpr std::size_t kMaxLog = 256U << 20;         // bytes of all records together
constexpr std::uint32_t kCallerIsCpu = 0x80000000;  // printk_caller_id(): else a thread's id

constexpr std::array<std::string_view, 8> kLevels{"emerg", "alert",  "crit", "err",
                                                  "warn",  "notice", "info", "debug"};
// <syslog.h>; the local ones begin at 16.
constexpr std::array<std::string_view, 12> kFacilities{"kern", "user",   "mail",     "daemon",
                                                       "auth", "syslog", "lpr",      "news",
                                                       "uucp", "cron",   "authpriv", "ftp"};

std::string facility_name(std::uint8_t facility) {
  if (facility < kFacilities.size()) return std::string(kFacilities[facility]);
  if (facility >= 16 && facility < 24) return "local" + std::to_string(facility - 16);
  return std::to_string(facility);
}

std::string caller_name(std::uint32_t caller) {
  return (caller & kCallerIsCpu) != 0 ? "C" + std::to_string(caller & ~kCallerIsCpu)
                                      : "T" + std::to_string(caller);
}

// Up to its zero byte.
template <std::size_t size>
std::string string_of(const std::array<char, size>& text) {
  return std::string(text.begin(), std::ranges::find(text, '\0'));
}

template <std::size_t size>
bool load_text(Reader& reader, base::GuestVirtual at, std::array<char, size>& to) {
  return reader.load_bytes(at, std::as_writable_bytes(std::span(to)));
}

}  // namespace

constinit const std::array<Column, KernelLog::kColumns> KernelLog::kColumnDeclarations{{
    {"seq", Type::integer, "number of the record since the guest booted"},
    {"time_ns", Type::nanoseconds, "when it was logged, since the guest booted, in nanoseconds"},
    {"priority", Type::integer, "how severe it is: 0 (emerg) to 7 (debug)"},
    {"level", Type::text, "the same by name: emerg, alert, crit, err, warn, notice, info, debug"},
    {"facility", Type::text, "who logged it: kern, or what a process gave, e.g. user or daemon"},
    {"caller", Type::text, "in what context: T and a thread's id, or C and a processor's number"},
    {"subsystem", Type::text, "of the device concerned, e.g. pci; null where there is none"},
    {"device", Type::text,
     "the device concerned, e.g. +pci:0000:00:03.0; null where there is none"},
    {"text", Type::text, "the message, without a line feed at its end; null where it is lost"},
}};

std::span<const Column> KernelLog::declared_columns() { return kColumnDeclarations; }

base::Result<KernelLog::Fields> KernelLog::resolve(const kernel::Kernel& kernel) {
  constexpr std::array<std::string_view, 1> kSymbols{"prb"};
  const auto symbols = kernel.symbols.find(kSymbols);
  if (!symbols[0] || !kernel.types.has_member("printk_ringbuffer", "text_data_ring"))
    return fail(Code::unsupported,
                "this kernel's log is not the ring of records that Linux has since 5.10",
                "look at the guest's console or its log files");
  Resolver at(kernel.types);
  Fields fields;
  fields.ring_pointer = *symbols[0];
  fields.count_bits = at("printk_ringbuffer", "desc_ring.count_bits");
  fields.descriptors = at("printk_ringbuffer", "desc_ring.descs");
  fields.infos = at("printk_ringbuffer", "desc_ring.infos");
  fields.head_id = at("printk_ringbuffer", "desc_ring.head_id.counter");
  fields.tail_id = at("printk_ringbuffer", "desc_ring.tail_id.counter");
  fields.size_bits = at("printk_ringbuffer", "text_data_ring.size_bits");
  fields.data = at("printk_ringbuffer", "text_data_ring.data");
  fields.descriptor_size = at.size("prb_desc");
  fields.state = at("prb_desc", "state_var.counter");
  fields.begin = at("prb_desc", "text_blk_lpos.begin");
  fields.next = at("prb_desc", "text_blk_lpos.next");
  fields.info_size = at.size("printk_info");
  fields.seq = at("printk_info", "seq");
  fields.time = at("printk_info", "ts_nsec");
  fields.text_length = at("printk_info", "text_len");
  fields.facility = at("printk_info", "facility");
  fields.caller = at("printk_info", "caller_id");
  fields.subsystem = at("printk_info", "dev_info.subsystem");
  fields.device = at("printk_info", "dev_info.device");
  fields.block_header = at("prb_data_block", "data");
  const kernel::Member level = at.member("printk_info", "level");
  fields.level = static_cast<std::uint32_t>(level.offset) + level.bit_offset / 8;
  fields.level_shift = level.bit_offset % 8;
  fields.level_bits = level.bit_size == 0 ? 8 : level.bit_size;
  if (at.error()) return fail(*at.error());
  if (fields.level_shift + fields.level_bits > 8 || fields.block_header != kBlockHeader)
    return fail(Code::unsupported, "this kernel's log has records of another kind");
  return fields;
}

base::Result<std::unique_ptr<View>> KernelLog::attach(const kernel::Kernel& kernel,
                                                      memory::PhysicalMemory& /*memory*/,
                                                      const LogOptions& options) {
  auto fields = resolve(kernel);
  if (!fields) return fail(fields.error());
  return std::unique_ptr<View>(new KernelLog(*fields, options));
}

Outcome KernelLog::collect(Reader& reader) {
  records_.clear();
  text_.clear();
  left_out_ = 0;
  waits_ = false;
  Ring ring;
  const auto breaks_off = [this, &reader]() -> Outcome {
    return {false,
            {"the log breaks off after " + std::to_string(records_.size()) +
             " records: " + std::string(paging::name(reader.fault())) + " at " +
             base::to_string(reader.fault_address())}};
  };
  if (!read_ring(reader, ring)) return breaks_off();
  const std::uint64_t last = (ring.head - ring.tail) & kIdMask;
  if (ring.count == 0 || last >= ring.count)
    return {false, {"the log's ring is damaged: it claims more records than it has room for"}};
  // Of more, the latest.
  const std::uint64_t first = last >= kMaxRecords ? last - kMaxRecords + 1 : 0;
  for (std::uint64_t i = first; i <= last && !waits_; ++i)
    if (!read_record(reader, ring, (ring.tail + i) & kIdMask)) return breaks_off();
  if (first > 0)
    return {false, {"the log's oldest " + std::to_string(first) + " records are left out"}};
  if (left_out_ == 0) return {};
  return {false,
          {"the text of " + std::to_string(left_out_) +
           " records is left out: together they claim more than the log has room for"}};
}

// The head first: while it is read, the guest may drop records at the tail to make room for more.
bool KernelLog::read_ring(Reader& reader, Ring& ring) const {
  base::GuestVirtual at;
  std::uint32_t count_bits = 0;
  std::uint32_t size_bits = 0;
  if (!reader.load(fields_.ring_pointer, at.value) ||
      !reader.load(at + fields_.count_bits, count_bits) ||
      !reader.load(at + fields_.descriptors, ring.descriptors.value) ||
      !reader.load(at + fields_.infos, ring.infos.value) ||
      !reader.load(at + fields_.head_id, ring.head) ||
      !reader.load(at + fields_.tail_id, ring.tail) ||
      !reader.load(at + fields_.size_bits, size_bits) ||
      !reader.load(at + fields_.data, ring.data.value))
    return false;
  if (count_bits > kMaxCountBits || size_bits > kMaxSizeBits) return true;  // damaged: no records
  ring.count = std::uint64_t{1} << count_bits;
  ring.size = std::uint64_t{1} << size_bits;
  return true;
}

// Adds the record, unless it is not whole yet, or no longer. False where it can't be read.
bool KernelLog::read_record(Reader& reader, const Ring& ring, std::uint64_t id) {
  const std::uint64_t index = id & (ring.count - 1);
  const base::GuestVirtual descriptor = ring.descriptors + index * fields_.descriptor_size;
  std::uint64_t state = 0;
  std::uint64_t begin = 0;
  std::uint64_t next = 0;
  std::uint16_t length = 0;
  Record record;
  if (!reader.load(descriptor + fields_.state, state)) return false;
  const std::uint64_t stage = state >> kStateShift;
  if ((state & kIdMask) != id) return true;
  if (options_.finished_only && (stage == kRecordReserved || stage == kRecordCommitted)) {
    waits_ = true;
    return true;
  }
  if (stage != kRecordCommitted && stage != kRecordFinalized) return true;
  if (!reader.load(descriptor + fields_.begin, begin) ||
      !reader.load(descriptor + fields_.next, next) ||
      !read_info(reader, ring.infos + index * fields_.info_size, record, length))
    return false;
  const std::size_t before = text_.size();
  const bool its_own = read_text(reader, ring, begin, next, length, id, record);
  std::uint64_t after = 0;
  if (!reader.load(descriptor + fields_.state, after)) return false;
  const std::uint64_t stage_after = after >> kStateShift;
  if (its_own && (after & kIdMask) == id &&
      (stage_after == kRecordCommitted || stage_after == kRecordFinalized))
    records_.push_back(record);
  else
    text_.resize(before);
  return true;
}

bool KernelLog::read_info(Reader& reader, base::GuestVirtual at, Record& record,
                          std::uint16_t& length) const {
  std::uint8_t level = 0;
  if (!reader.load(at + fields_.seq, record.seq) ||
      !reader.load(at + fields_.time, record.time_ns) ||
      !reader.load(at + fields_.text_length, length) ||
      !reader.load(at + fields_.facility, record.facility) ||
      !reader.load(at + fields_.level, level) || !reader.load(at + fields_.caller, record.caller) ||
      !load_text(reader, at + fields_.subsystem, record.subsystem) ||
      !load_text(reader, at + fields_.device, record.device))
    return false;
  const std::uint32_t mask = (1U << fields_.level_bits) - 1;
  record.level = static_cast<std::uint8_t>(std::uint32_t{level} >> fields_.level_shift & mask);
  return true;
}

// As get_data(): a text that would cross the end of the ring stands at its beginning instead. False
// where the text there is another record's.
bool KernelLog::read_text(Reader& reader, const Ring& ring, std::uint64_t begin, std::uint64_t next,
                          std::uint16_t length, std::uint64_t id, Record& record) {
  record.text = text_.size();
  if ((begin & kNoText) != 0 && (next & kNoText) != 0) {
    record.state = begin == kEmptyLine && next == kEmptyLine ? Text::read : Text::lost;
    return true;
  }
  std::uint64_t at = begin & (ring.size - 1);
  const std::uint64_t end = next & (ring.size - 1);
  if (begin / ring.size != next / ring.size && end != 0) at = 0;
  const std::uint64_t room = (end == 0 ? ring.size : end) - at;
  if (next - begin > 2 * ring.size || room < fields_.block_header || room > ring.size) {
    record.state = Text::damaged;
    return true;
  }
  record.length = std::min<std::uint64_t>(length, room - fields_.block_header);
  if (text_.size() + record.length > std::min<std::uint64_t>(ring.size, kMaxLog)) {
    record.length = 0;
    record.state = Text::left_out;
    ++left_out_;
    return true;
  }
  // Its id comes in the same piece: where the guest has put another text there since, that shows.
  text_.resize(record.text + kBlockHeader + record.length);
  const auto into = std::as_writable_bytes(std::span(text_)).subspan(record.text);
  if (!reader.load_bytes(ring.data + at, into)) {
    record.state = Text::unreadable;
    record.fault = reader.fault();
    record.length = 0;
    text_.resize(record.text);
    return true;
  }
  std::uint64_t own_id = 0;
  std::memcpy(&own_id, into.data(), sizeof own_id);
  text_.erase(record.text, kBlockHeader);
  return own_id == id;
}

Row KernelLog::row(std::size_t index) const {
  const Record& record = records_[index];
  Row row;
  row.values = {
      record.seq,
      record.time_ns,
      std::uint64_t{record.level},
      record.level < kLevels.size() ? std::string(kLevels[record.level])
                                    : std::to_string(record.level),
      facility_name(record.facility),
      caller_name(record.caller),
      text_or_null(string_of(record.subsystem)),
      text_or_null(string_of(record.device)),
      std::monostate{},
  };
  const auto failed = [&row](Code code, std::string why) {
    row.errors.push_back({kColumnDeclarations[kText].name, code, std::move(why)});
  };
  switch (record.state) {
    case Text::read:
      row.values[kText] = text_.substr(record.text, record.length);
      break;
    case Text::lost:
      failed(Code::absent, "there was no room for it in the log when it was logged");
      break;
    case Text::damaged:
      failed(Code::inconsistent, "its place in the log's ring is none that a record can have");
      break;
    case Text::left_out:
      failed(Code::inconsistent, "left out: the log claims more text than it has room for");
      break;
    case Text::unreadable:
      failed(Code::unreadable, std::string(paging::name(record.fault)));
      break;
  }
  return row;
}

}  // namespace vitrine::views
