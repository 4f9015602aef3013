// Builds migration streams as QEMU writes them, for tests.
//
// Thread contract: a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vitrine::memory::testing {

struct StreamBuilder {
  std::vector<std::byte> bytes;

  StreamBuilder& number(std::uint64_t value, unsigned size) {
    while (size-- > 0) bytes.push_back(static_cast<std::byte>(value >> 8 * size));
    return *this;
  }
  StreamBuilder& name(const std::string& text) {
    number(text.size(), 1);
    for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
    return *this;
  }
  StreamBuilder& header() { return number(0x5145564d, 4).number(3, 4); }
  StreamBuilder& configuration(const std::string& machine = "pc-i440fx-7.2") {
    number(7, 1).number(0, 3);
    return name(machine);  // its length has four bytes
  }
  StreamBuilder& section(const std::string& text = "ram", unsigned version = 4) {
    return number(1, 1).number(2, 4).name(text).number(0, 4).number(version, 4);
  }
  StreamBuilder& part() { return number(2, 1).number(2, 4); }
  StreamBuilder& end() { return number(0x10, 8).number(0x7e, 1).number(2, 4); }
  StreamBuilder& blocks(std::uint64_t total = 0x6000) {
    return number(total | 4, 8).name("pc.ram").number(0x5000, 8).name("vga").number(0x1000, 8);
  }
  StreamBuilder& setup() { return header().configuration().section().blocks().end(); }
  StreamBuilder& page(std::uint64_t word, char fill) {
    number(word, 8);
    return content(fill);
  }
  StreamBuilder& content(char fill) {
    bytes.insert(bytes.end(), 4096, static_cast<std::byte>(fill));
    return *this;
  }
  StreamBuilder& devices() { return number(4, 1).number(7, 4).name("timer"); }
};

}  // namespace vitrine::memory::testing
