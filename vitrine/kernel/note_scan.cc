#include "vitrine/kernel/note_scan.h"

#include <algorithm>
#include <array>

namespace vitrine::kernel {
namespace {

using base::kPage;

constexpr std::size_t kBatch = 1024;
constexpr std::size_t kMaxNotes = 4096;  // a guest full of forged notes does not keep us for long

using Header = std::array<std::byte, Vmcoreinfo::note_header_bytes>;

}  // namespace

std::optional<Note> read_note(memory::PhysicalMemory& memory, base::GuestPhysical at) {
  Header header;
  if (memory.read(at, header) != memory::ReadStatus::ok) return std::nullopt;
  const auto size = Vmcoreinfo::note_size(header);
  if (!size) return std::nullopt;
  std::vector<std::byte> bytes(*size);
  // Page by page: the note may end near the end of RAM, or beyond a page that is a hole.
  for (std::size_t done = 0; done < bytes.size(); done += kPage) {
    const auto part =
        std::span(bytes).subspan(done, std::min<std::size_t>(kPage, bytes.size() - done));
    if (memory.read(at + done, part) != memory::ReadStatus::ok) return std::nullopt;
  }
  auto content = Vmcoreinfo::parse_note(bytes);
  if (!content) return std::nullopt;
  return Note{at, std::move(bytes), std::move(*content)};
}

void scan_for_notes(memory::PhysicalMemory& memory, const std::function<bool(Note)>& on_note) {
  std::vector<Header> headers(kBatch);
  std::vector<memory::ReadRequest> requests;
  std::size_t found = 0;
  const auto flush = [&] {
    memory.read(requests);
    for (const memory::ReadRequest& request : requests) {
      if (request.status != memory::ReadStatus::ok || !Vmcoreinfo::note_size(request.into))
        continue;
      auto note = read_note(memory, request.address);
      if (note && (++found > kMaxNotes || !on_note(std::move(*note)))) return false;
    }
    requests.clear();
    return true;
  };
  for (const memory::Range& ram : memory.ram()) {
    for (const memory::Range& range : memory.populated(ram)) {
      for (std::uint64_t offset = 0; offset + kPage <= range.size; offset += kPage) {
        requests.push_back({range.start + offset, headers[requests.size()]});
        if (requests.size() == kBatch && !flush()) return;
      }
    }
  }
  flush();
}

}  // namespace vitrine::kernel
