// One option argument of a QEMU command line, as "key=value,key=value" or, as newer versions and
// libvirt write objects and devices, as JSON.
//
// Thread contract: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitrine::vmm {

class OptionList {
 public:
  // Parses QEMU's syntax (util/keyval.c, util/qemu-option.c): ",," is a comma within a value; a
  // first item without "=" is the value of `implied_key`, a later one means on, one that begins
  // with "no" off. Text that begins with "{" is JSON; nested keys are joined by ".". Malformed JSON
  // gives an empty list.
  static OptionList parse(std::string_view text, std::string_view implied_key);

  // The value given last, as in QEMU.
  std::optional<std::string> get(std::string_view key) const;
  std::string get_or(std::string_view key, std::string_view otherwise) const;
  // on, yes, true, y.
  bool on(std::string_view key) const;
  // Bytes; a plain number counts in `unit` bytes.
  std::optional<std::uint64_t> size(std::string_view key, std::uint64_t unit = 1) const;

  const std::vector<std::pair<std::string, std::string>>& items() const { return items_; }

 private:
  std::vector<std::pair<std::string, std::string>> items_;
};

// "512M", "1.5G", "0x1000": bytes, a plain number counting in `unit` bytes (util/cutils.c,
// qemu_strtosz). Nothing for malformed text or what exceeds 64 bits.
std::optional<std::uint64_t> parse_size(std::string_view text, std::uint64_t unit = 1);

}  // namespace vitrine::vmm
