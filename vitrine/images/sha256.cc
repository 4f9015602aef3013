#include "vitrine/images/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace vitrine::images {

struct Sha256::Context {
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  bool ok = digest != nullptr && EVP_DigestInit_ex(digest, EVP_sha256(), nullptr) == 1;

  Context() = default;
  ~Context() { EVP_MD_CTX_free(digest); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  context_->ok =
      context_->ok && EVP_DigestUpdate(context_->digest, bytes.data(), bytes.size()) == 1;
}

void Sha256::update_zeros(std::uint64_t count) {
  static constexpr std::array<std::byte, 65536> kZeros{};
  while (count > 0) {
    const std::uint64_t part = std::min<std::uint64_t>(count, kZeros.size());
    update(std::span(kZeros).first(part));
    count -= part;
  }
}

std::string Sha256::finish() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned length = 0;
  if (!context_->ok || EVP_DigestFinal_ex(context_->digest, bytes.data(), &length) != 1) return {};
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    text += kDigits[bytes.at(i) >> 4];
    text += kDigits[bytes.at(i) & 15];
  }
  return text;
}

}  // namespace vitrine::images
