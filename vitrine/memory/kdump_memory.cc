#include "vitrine/memory/kdump_memory.h"

#include <libkdumpfile/kdumpfile.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace vitrine::memory {
namespace {

using base::Code;
using base::kPage;

constexpr std::size_t kMostRanges = 1 << 20;
constexpr std::uint64_t kMostProcessors = 8192;

std::string message_of(kdump_ctx_t* context) {
  const char* text = kdump_get_err(context);
  return text == nullptr ? "no reason given" : text;
}

using Wide = std::uint64_t X86GeneralRegisters::*;
using Selector = std::uint16_t X86GeneralRegisters::*;
using R = X86GeneralRegisters;

constexpr auto kWide = std::to_array<std::pair<const char*, Wide>>(
    {{"rax", &R::rax}, {"rbx", &R::rbx},       {"rcx", &R::rcx},         {"rdx", &R::rdx},
     {"rsi", &R::rsi}, {"rdi", &R::rdi},       {"rbp", &R::rbp},         {"rsp", &R::rsp},
     {"r8", &R::r8},   {"r9", &R::r9},         {"r10", &R::r10},         {"r11", &R::r11},
     {"r12", &R::r12}, {"r13", &R::r13},       {"r14", &R::r14},         {"r15", &R::r15},
     {"rip", &R::rip}, {"rflags", &R::rflags}, {"fs_base", &R::fs_base}, {"gs_base", &R::gs_base}});
constexpr auto kSelectors = std::to_array<std::pair<const char*, Selector>>({{"cs", &R::cs},
                                                                             {"ss", &R::ss},
                                                                             {"ds", &R::ds},
                                                                             {"es", &R::es},
                                                                             {"fs", &R::fs},
                                                                             {"gs", &R::gs}});

}  // namespace

struct KdumpMemory::Context {
  Context() : library(kdump_new()) {}
  ~Context() {
    if (library != nullptr) kdump_free(library);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  kdump_ctx_t* const library;
};

KdumpMemory::KdumpMemory(base::FileDescriptor file)
    : file_(std::move(file)), context_(std::make_unique<Context>()) {}

KdumpMemory::~KdumpMemory() = default;

base::Result<std::unique_ptr<KdumpMemory>> KdumpMemory::create(base::FileDescriptor file) {
  std::unique_ptr<KdumpMemory> memory(new KdumpMemory(std::move(file)));
  kdump_ctx_t* const context = memory->context_->library;
  if (context == nullptr) return base::fail(Code::unreadable, "memory ran out");
  if (kdump_open_fd(context, memory->file_.get()) != KDUMP_OK)
    return base::fail(Code::unsupported,
                      "libkdumpfile cannot read the crash dump: " + message_of(context),
                      "it is truncated or damaged, or of a form that is not supported");
  const char* architecture = nullptr;
  if (kdump_get_string_attr(context, KDUMP_ATTR_ARCH_NAME, &architecture) != KDUMP_OK ||
      std::string_view(architecture) != KDUMP_ARCH_X86_64)
    return base::fail(Code::unsupported, "the crash dump is not of an x86-64 machine");
  // VMCOREINFO is looked for in the notes of what is known to be Linux.
  kdump_set_string_attr(context, KDUMP_ATTR_OSTYPE, "linux");
  memory->ram_ = memory->ranges(KDUMP_ATTR_MEMORY_PAGEMAP);
  memory->held_ = memory->ranges(KDUMP_ATTR_FILE_PAGEMAP);
  if (memory->ram_.empty()) memory->ram_ = memory->held_;
  if (memory->ram_.empty())
    return base::fail(Code::inconsistent, "the crash dump holds no RAM",
                      "it is truncated or damaged: take it from another copy");
  if (!memory->is_whole())
    return base::fail(Code::inconsistent, "pages that the crash dump lists cannot be read in it",
                      "it is truncated or damaged: take it from another copy, or take it again");
  return memory;
}

// Pages stand in a dump in the order of their addresses, so that one that was cut off lacks the
// last ones; some others are looked at besides.
bool KdumpMemory::is_whole() {
  constexpr std::uint64_t kLast = 512;
  constexpr std::uint64_t kOthers = 32;
  std::uint64_t pages = 0;
  for (const Range& range : held_) pages += range.size / kPage;
  const std::uint64_t step = std::max<std::uint64_t>(pages / kOthers, 1);
  std::array<std::byte, kPage> page{};
  std::uint64_t index = 0;
  for (const Range& range : held_)
    for (std::uint64_t offset = 0; offset < range.size; offset += kPage, ++index) {
      if (index + kLast < pages && index % step != 0) continue;
      if (read(range.start + offset, page) != ReadStatus::ok) return false;
    }
  return true;
}

// The runs of set bits, one bit for each page frame.
std::vector<Range> KdumpMemory::ranges(const char* bitmap) const {
  std::vector<Range> found;
  kdump_attr_t value{};
  if (kdump_get_attr(context_->library, bitmap, &value) != KDUMP_OK || value.type != KDUMP_BITMAP)
    return found;
  kdump_bmp_t* const bits = value.val.bitmap;
  for (kdump_addr_t frame = 0; found.size() < kMostRanges;) {
    if (kdump_bmp_find_set(bits, &frame) != KDUMP_OK) break;
    kdump_addr_t end = frame;
    if (kdump_bmp_find_clear(bits, &end) != KDUMP_OK || end <= frame) break;
    found.push_back({base::GuestPhysical(frame * kPage), (end - frame) * kPage});
    frame = end;
  }
  return found;
}

std::optional<std::uint64_t> KdumpMemory::number(const std::string& attribute) const {
  kdump_attr_t value{};
  if (kdump_get_attr(context_->library, attribute.c_str(), &value) != KDUMP_OK) return std::nullopt;
  if (value.type == KDUMP_ADDRESS) return value.val.address;
  return value.type == KDUMP_NUMBER ? std::optional(value.val.number) : std::nullopt;
}

void KdumpMemory::read(std::span<ReadRequest> requests) {
  for (ReadRequest& request : requests) {
    const bool inside = std::ranges::any_of(ram_, [&request](const Range& range) {
      return range.contains(request.address, request.into.size());
    });
    request.status = ReadStatus::outside_ram;
    if (!inside) continue;
    std::size_t length = request.into.size();
    const kdump_status status = kdump_read(context_->library, KDUMP_MACHPHYSADDR,
                                           request.address.value, request.into.data(), &length);
    if (status == KDUMP_OK && length == request.into.size())
      request.status = ReadStatus::ok;
    else
      request.status = status == KDUMP_ERR_NODATA ? ReadStatus::not_populated : ReadStatus::failed;
    kdump_clear_err(context_->library);
  }
}

std::vector<Range> KdumpMemory::populated(Range within) {
  std::vector<Range> found;
  for (const Range& range : held_) {
    const base::GuestPhysical start =
        std::max(range.start, base::GuestPhysical(within.start.value / kPage * kPage));
    const base::GuestPhysical end = std::min(range.end(), within.end());
    if (start < end) found.push_back({start, end - start});
  }
  return found;
}

std::string KdumpMemory::format() const {
  const char* text = nullptr;
  return kdump_get_string_attr(context_->library, KDUMP_ATTR_FILE_FORMAT, &text) == KDUMP_OK ? text
                                                                                             : "";
}

std::string KdumpMemory::vmcoreinfo() const {
  char* raw = nullptr;
  if (kdump_vmcoreinfo_raw(context_->library, &raw) != KDUMP_OK) return {};
  const std::unique_ptr<char, decltype(&std::free)> owned(raw, &std::free);
  return raw == nullptr ? "" : raw;
}

std::vector<X86GeneralRegisters> KdumpMemory::processors() const {
  std::vector<X86GeneralRegisters> processors;
  const std::uint64_t count = std::min(number(KDUMP_ATTR_NUM_CPUS).value_or(0), kMostProcessors);
  for (std::uint64_t cpu = 0; cpu < count; ++cpu) {
    const std::string prefix = "cpu." + std::to_string(cpu) + ".reg.";
    if (!number(prefix + "rip")) break;
    X86GeneralRegisters registers;
    for (const auto& [name, member] : kWide) registers.*member = number(prefix + name).value_or(0);
    for (const auto& [name, member] : kSelectors)
      registers.*member = static_cast<std::uint16_t>(number(prefix + name).value_or(0));
    processors.push_back(registers);
  }
  return processors;
}

}  // namespace vitrine::memory
