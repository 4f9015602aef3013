// VMCOREINFO: what a Linux kernel says of itself for crash dumps, as lines of text kept in an ELF
// note in its memory (kernel/vmcore_info.c, before 6.9 kernel/crash_core.c; lines documented in
// Documentation/admin-guide/kdump/vmcoreinfo.rst).
//
// Everything in it is a claim: a guest process can plant a note in a page of its own, and a former
// kernel's may have survived a reboot. Who uses one cross-checks it.
//
// Thread contract: immutable once parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"

namespace vitrine::kernel {

class Vmcoreinfo {
 public:
  // Header, padded name: what a scan looks at in each page.
  static constexpr std::size_t note_header_bytes = 24;
  // The kernel reserves one page for the text; more than this is no note.
  static constexpr std::uint32_t max_text_bytes = 64 * 1024;

  // Size in bytes of the whole note whose first bytes these are, header included; nullopt if they
  // do not begin a VMCOREINFO note (namesz 11, type 0, "VMCOREINFO", a bounded descsz).
  static std::optional<std::uint32_t> note_size(std::span<const std::byte> header);

  // Parses a note from its header on; bytes after it are ignored. Errors: `invalid` where no note
  // begins here or it is cut off, and what parse() reports.
  static base::Result<Vmcoreinfo> parse_note(std::span<const std::byte> note);

  // Parses the text alone, up to a first NUL. Lines that are no `KEY=VALUE` are skipped; where a
  // key comes twice, the first counts. Errors: `invalid` where it does not begin with `OSRELEASE=`
  // or is longer than max_text_bytes.
  static base::Result<Vmcoreinfo> parse(std::string_view text);

  // The text as it stands in the guest, for caches.
  const std::string& text() const { return text_; }

  // OSRELEASE as it stands, e.g. "6.1.0-50-cloud-amd64"; hostile text.
  std::string_view release() const;
  // The kernel's build id as 40 hex digits; absent where the kernel has none or prints garbage
  // (5.15.168+, 6.1.113-118, 6.6.55-62, 6.10.14+, 6.11.3-9).
  std::optional<std::string_view> build_id() const;
  std::optional<std::uint64_t> page_size() const;
  // How far KASLR moved the kernel from where it was linked, in bytes.
  std::optional<std::uint64_t> kernel_offset() const;
  // When the kernel crashed, in seconds since the epoch; absent in one that did not.
  std::optional<std::uint64_t> crash_time() const;

  // SYMBOL(name), OFFSET(name), SIZE(name), LENGTH(name) and NUMBER(name); nullopt where the line
  // is missing or is no number. Offsets and sizes in bytes, lengths in elements.
  std::optional<base::GuestVirtual> symbol(std::string_view name) const;
  std::optional<std::uint64_t> offset(std::string_view member) const;
  std::optional<std::uint64_t> size(std::string_view type) const;
  std::optional<std::uint64_t> length(std::string_view member) const;
  std::optional<std::int64_t> number(std::string_view name) const;

  // Where init_uts_ns keeps its struct new_utsname, six fields of 65 bytes; nullopt where the note
  // does not name init_uts_ns.
  std::optional<base::GuestVirtual> utsname() const;

  // The value of the line whose whole key is `wanted`, e.g. "SYMBOL(_stext)".
  std::optional<std::string_view> value(std::string_view wanted) const;

 private:
  // Where a line is in the text: positions, since a moved string may move its bytes.
  struct Line {
    std::uint32_t key = 0;
    std::uint32_t equals = 0;
    std::uint32_t end = 0;
  };

  std::string_view key(const Line& line) const;
  std::optional<std::string_view> value(std::string_view kind, std::string_view name) const;

  std::string text_;
  std::vector<Line> lines_;  // sorted by key
};

}  // namespace vitrine::kernel
