#include "vitrine/memory/libvirt_save.h"

#include <gtest/gtest.h>

#include "vitrine/memory/testing/content_file.h"

namespace vitrine::memory {
namespace {

using testing::bytes_of;
using testing::file_of;

std::string header(std::string_view magic, std::uint32_t version, std::uint32_t length,
                   std::uint32_t compression) {
  return std::string(magic) + bytes_of(version) + bytes_of(length) + bytes_of(std::uint32_t{1}) +
         bytes_of(compression) + std::string(60, '\0');
}

base::Error error_of(const std::string& content) {
  const auto read = read_libvirt_save(file_of(content).get());
  return read ? base::Error{base::Code::timeout, ""} : read.error();
}

TEST(LibvirtSave, TellsTheDomainAndWhereItsStreamBegins) {
  const std::string xml = "<domain type='kvm'>\n  <name>web &amp; db</name>\n</domain>";
  const auto read = read_libvirt_save(
      file_of(header(kLibvirtSaved, 2, 100, 0) + xml + std::string(100, '\0')).get());
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->xml, xml);
  EXPECT_EQ(read->name, "web &amp; db");
  EXPECT_EQ(read->stream, 192U);
}

TEST(LibvirtSave, SaysWhatItCannotRead) {
  EXPECT_EQ(error_of(header(kLibvirtPartial, 2, 0, 0)).code, base::Code::inconsistent);
  EXPECT_EQ(error_of(header(kLibvirtSaved, 3, 0, 0)).code, base::Code::unsupported);
  const base::Error compressed = error_of(header(kLibvirtSaved, 2, 0, 3));
  EXPECT_EQ(compressed.code, base::Code::unsupported);
  EXPECT_NE(compressed.message.find("xz"), std::string::npos);
  EXPECT_EQ(error_of(header(kLibvirtSaved, 2, 0, 77)).code, base::Code::unsupported);
  EXPECT_EQ(error_of(header(kLibvirtSaved, 2, 0xffff'ffff, 0)).code, base::Code::inconsistent);
  EXPECT_EQ(error_of(header(kLibvirtSaved, 2, 100, 0)).code, base::Code::inconsistent);
  EXPECT_EQ(error_of(std::string(kLibvirtSaved)).code, base::Code::inconsistent);
}

}  // namespace
}  // namespace vitrine::memory
