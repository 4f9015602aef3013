// A tiny kernel's kallsyms for tests, written as scripts/kallsyms.c writes it, and a guest-virtual
// memory that holds it.
//
// Thread contract: one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/kernel/kallsyms.h"

namespace vitrine::synthetic {

using kernel::KallsymsTables;

enum class SampleEncoding { base_relative, absolute_percpu, place_relative };

struct SampleSymbol {
  std::uint64_t address;
  std::string text;  // type character and name
};

inline void append_bytes(std::vector<std::byte>& to, const void* from, std::size_t size) {
  const auto* bytes = static_cast<const std::byte*>(from);
  to.insert(to.end(), bytes, bytes + size);
}

// Tables whose tokens are the 256 single characters, but for token 1, which is `token_one`.
struct KallsymsSample {
  static constexpr std::uint64_t base = 0xffffffff81000000;

  std::vector<SampleSymbol> symbols = {
      {base, "T_stext"}, {base + 0x40, "Tdo_exit"}, {base + 0x90, "Dinit_task"}};
  SampleEncoding encoding = SampleEncoding::base_relative;
  bool two_byte_lengths = true;
  std::string token_one = "Dinit_";
  vitrine::base::GuestVirtual offsets_address{base + 0x5000};

  std::vector<std::byte> compress(const std::string& text) const {
    std::vector<std::byte> numbers;
    std::size_t at = 0;
    if (text.starts_with(token_one)) {
      numbers.push_back(std::byte{1});
      at = token_one.size();
    }
    append_bytes(numbers, text.data() + at, text.size() - at);
    return numbers;
  }

  std::uint32_t offset(std::size_t index) const {
    const std::uint64_t address = symbols[index].address;
    switch (encoding) {
      case SampleEncoding::base_relative:
        return static_cast<std::uint32_t>(address - base);
      case SampleEncoding::absolute_percpu:
        return static_cast<std::uint32_t>(address < base ? address : base - 1 - address);
      case SampleEncoding::place_relative:
        break;
    }
    return static_cast<std::uint32_t>(address - (offsets_address.value + index * 4));
  }

  KallsymsTables tables() const {
    KallsymsTables made;
    made.symbols = static_cast<std::uint32_t>(symbols.size());
    made.stext = vitrine::base::GuestVirtual(base);
    made.offsets_address = offsets_address;
    if (encoding != SampleEncoding::place_relative) made.relative_base = base;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      const auto name = compress(symbols[i].text);
      const std::size_t size = name.size();
      if (two_byte_lengths && size >= 0x80) {
        made.names.push_back(static_cast<std::byte>((size & 0x7f) | 0x80));
        made.names.push_back(static_cast<std::byte>(size >> 7));
      } else {
        made.names.push_back(static_cast<std::byte>(size));
      }
      append_bytes(made.names, name.data(), size);
      const std::uint32_t value = offset(i);
      append_bytes(made.offsets, &value, sizeof value);
    }
    for (std::size_t i = 0; i < 256; ++i) {
      const auto position = static_cast<std::uint16_t>(made.token_table.size());
      append_bytes(made.token_index, &position, sizeof position);
      // Token 0 would be a NUL of its own: the kernel's tables never use it, nor do these.
      const std::string token = i == 1   ? token_one
                                : i == 0 ? ""
                                         : std::string(1, static_cast<char>(i));
      append_bytes(made.token_table, token.c_str(), token.size() + 1);
    }
    return made;
  }
};

// Guest-virtual memory of one piece, absent elsewhere.
class SampleMemory : public memory::VirtualMemory {
 public:
  static constexpr base::GuestVirtual start{KallsymsSample::base};

  explicit SampleMemory(std::size_t size) : bytes_(size) {}

  void put(base::GuestVirtual at, std::span<const std::byte> bytes) {
    std::memcpy(bytes_.data() + (at - start), bytes.data(), bytes.size());
  }

  base::Result<void> read(base::GuestVirtual address, std::span<std::byte> into) override {
    const std::uint64_t at = address - start;
    if (at > bytes_.size() || into.size() > bytes_.size() - at) {
      return base::fail(base::Code::absent, "not mapped");
    }
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), into.size(), into.begin());
    return {};
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace vitrine::synthetic
