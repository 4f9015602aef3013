#include "vitrine/images/sha256.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace vitrine::images {
namespace {

std::string of(std::string_view text) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text.data(), text.size())));
  return hash.finish();
}

// FIPS 180-4's examples, as published with the standard.
TEST(Sha256, IsTheStandardsOwn) {
  EXPECT_EQ(of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, OfAHoleIsThatOfItsZeros) {
  const std::string zeros(200'001, '\0');
  Sha256 hash;
  hash.update_zeros(zeros.size());
  EXPECT_EQ(hash.finish(), of(zeros));
}

}  // namespace
}  // namespace vitrine::images
