// Little-endian fields of file headers, put at their offsets one by one.
//
// Thread contract: one thread at a time.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vitrine::images {

class Bytes {
 public:
  explicit Bytes(std::size_t size = 0) : bytes_(size) {}

  // REQUIRES: the value ends within the size.
  template <std::integral T>
  void put(std::size_t offset, T value) {
    std::memcpy(&bytes_[offset], &value, sizeof value);
  }
  void put(std::size_t offset, std::string_view text) {
    put(offset, std::as_bytes(std::span(text.data(), text.size())));
  }
  void put(std::size_t offset, std::span<const std::byte> bytes) {
    if (!bytes.empty()) std::memcpy(&bytes_[offset], bytes.data(), bytes.size());
  }

  void append(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  // Zeros up to the next multiple.
  void align(std::size_t to) { bytes_.resize((bytes_.size() + to - 1) / to * to); }

  std::size_t size() const { return bytes_.size(); }
  std::span<const std::byte> span() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

// A plain object as it lies in memory.
template <class T>
std::span<const std::byte> bytes_of(const T& object) {
  static_assert(std::is_trivially_copyable_v<T>);
  return std::as_bytes(std::span(&object, 1));
}

}  // namespace vitrine::images
