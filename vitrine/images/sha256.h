// SHA-256 of what an image holds (FIPS 180-4), computed by OpenSSL.
//
// Thread contract: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace vitrine::images {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::span<const std::byte> bytes);
  // `count` bytes that are zero, as a hole in a file is read.
  void update_zeros(std::uint64_t count);
  // The digest as 64 lower-case hex digits, as sha256sum prints it; empty if OpenSSL failed. To be
  // called once, at the end.
  std::string finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace vitrine::images
