// Texts of the guest, as views read and show them.
//
// Thread contract: as the reader.
#pragma once

#include <cstdint>
#include <string>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/memory/virtual_memory.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/value.h"

namespace vitrine::views {

// Appends the text at `at` up to its zero byte, or `most` bytes of it. Byte by byte: it may end
// just before a page that is not there. False where it can't be read.
inline bool load_text(Reader& reader, base::GuestVirtual at, std::size_t most, std::string& text) {
  for (std::size_t i = 0; i < most; ++i) {
    char character = 0;
    if (!reader.load(at + i, character)) return false;
    if (character == '\0') break;
    text += character;
  }
  return true;
}

// The same while a view attaches, of texts that stay as they are. Errors: as reading memory.
base::Result<std::string> read_text(memory::VirtualMemory& memory, base::GuestVirtual at,
                                    std::size_t most);

// Nothing where it is empty.
inline Value text_or_null(std::string text) {
  if (text.empty()) return std::monostate{};
  return text;
}

// "MAJOR:MINOR" of a device as the kernel numbers it (include/linux/kdev_t.h).
std::string device_name(std::uint32_t device);

}  // namespace vitrine::views
