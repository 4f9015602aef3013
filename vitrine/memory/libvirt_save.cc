#include "vitrine/memory/libvirt_save.h"

#include <array>
#include <cstring>
#include <span>

#include "vitrine/memory/file_bytes.h"

namespace vitrine::memory {
namespace {

using base::Code;

constexpr std::string_view kWhat = "file that libvirt saved";
constexpr std::uint32_t kSaveVersion = 2;
constexpr std::uint32_t kMostXml = 64 << 20;

// virQEMUSaveHeader
struct SaveHeader {
  std::array<char, 16> magic{};
  std::uint32_t version = 0;
  std::uint32_t data_length = 0;  // XML, its zero byte, what pads it, and the cookie
  std::uint32_t was_running = 0;
  std::uint32_t compression = 0;
  std::uint32_t cookie_offset = 0;
  std::array<std::uint32_t, 14> unused{};
};
static_assert(sizeof(SaveHeader) == 92);

// virQEMUSaveFormat
constexpr std::array<std::string_view, 7> kCompressions{"none", "gzip", "bzip2", "xz",
                                                        "lzop", "zstd", "sparse"};

std::string element(std::string_view xml, std::string_view name) {
  const std::string opened = "<" + std::string(name) + ">";
  const std::size_t start = xml.find(opened);
  if (start == std::string_view::npos) return {};
  const std::string_view rest = xml.substr(start + opened.size());
  const std::size_t end = rest.find('<');
  return std::string(rest.substr(0, end == std::string_view::npos ? 0 : end));
}

}  // namespace

base::Result<LibvirtSave> read_libvirt_save(int file) {
  SaveHeader header;
  auto read = read_exactly(file, 0, std::as_writable_bytes(std::span(&header, 1)), kWhat);
  if (!read) return base::fail(read.error());
  const std::string_view magic(header.magic.data(), header.magic.size());
  if (magic == kLibvirtPartial)
    return base::fail(Code::inconsistent, "libvirt did not finish saving the VM to this file",
                      "save the VM again");
  if (magic != kLibvirtSaved)
    return base::fail(Code::unsupported, "the file was not saved by libvirt");
  if (header.version != kSaveVersion)
    return base::fail(Code::unsupported,
                      "libvirt saved the file in version " + std::to_string(header.version),
                      "vitrine reads version 2, without sparse RAM");
  if (header.compression != 0) {
    const std::string how(header.compression < kCompressions.size()
                              ? kCompressions.at(header.compression)
                              : "another way");
    return base::fail(Code::unsupported, "libvirt compressed what it saved (" + how + ")",
                      "save with save_image_format = \"raw\" in qemu.conf");
  }
  if (header.data_length > kMostXml)
    return base::fail(Code::inconsistent, "the file that libvirt saved has an impossible header",
                      "it is damaged: take it from another copy");
  LibvirtSave save;
  save.xml.resize(header.data_length);
  read = read_exactly(file, sizeof header,
                      std::as_writable_bytes(std::span(save.xml.data(), save.xml.size())), kWhat);
  if (!read) return base::fail(read.error());
  save.xml.resize(strnlen(save.xml.data(), save.xml.size()));
  save.name = element(save.xml, "name");
  save.stream = sizeof header + header.data_length;
  return save;
}

}  // namespace vitrine::memory
