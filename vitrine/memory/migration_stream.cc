#include "vitrine/memory/migration_stream.h"

#include <algorithm>
#include <cstring>

#include "vitrine/base/address.h"

namespace vitrine::memory {
namespace {

using base::Code;

// migration/savevm.h and qemu-file-types.h
constexpr std::uint32_t kMagic = 0x5145564d;
constexpr std::uint32_t kStreamVersion = 3;
constexpr std::uint32_t kRamVersion = 4;
enum Item : unsigned {
  end_of_stream = 0x00,
  section_start = 0x01,
  section_part = 0x02,
  section_end = 0x03,
  section_full = 0x04,
  subsection = 0x05,
  configuration = 0x07,
  command = 0x08,
  section_footer = 0x7e,
};
constexpr unsigned kCommandPackaged = 6;

// migration/ram.c: flags in the low bits of a page's offset
enum Flag : std::uint64_t {
  zero = 0x02,
  mem_size = 0x04,
  page = 0x08,
  end_of_section = 0x10,
  same_block = 0x20,
  all_flags = 0xfff,
};

constexpr std::size_t kMostBlocks = 4096;
constexpr std::uint32_t kMostCapabilities = 256;
constexpr std::uint32_t kPageBits = 12;

// Numbers are big-endian.
std::uint64_t number(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

tl::unexpected<base::Error> damaged(const std::string& what) {
  return base::fail(Code::inconsistent, "the migration stream is damaged: " + what);
}

tl::unexpected<base::Error> unknown(const std::string& what) {
  return base::fail(Code::unsupported, "the migration stream carries " + what,
                    "use another technique, e.g. dump");
}

}  // namespace

MigrationStream::MigrationStream(Receiver& receiver) : receiver_(receiver) {}

base::Result<void> MigrationStream::feed(Bytes bytes) {
  if (failed_) return damaged("it failed before");
  while (!complete_) {
    if (skip_ != 0) {
      const std::size_t skipped = std::min<std::uint64_t>(skip_, bytes.size());
      skip_ -= skipped;
      consumed_ += skipped;
      bytes = bytes.subspan(skipped);
    }
    const std::size_t size = need_ - buffered_;
    if (skip_ != 0 || bytes.size() < size) break;
    Bytes whole = bytes.first(size);
    if (buffered_ != 0) {
      std::memcpy(buffer_.data() + buffered_, bytes.data(), size);
      whole = Bytes(buffer_).first(need_);
    }
    bytes = bytes.subspan(size);
    buffered_ = 0;
    consumed_ += need_;
    if (auto done = (this->*step_)(whole); !done) {
      failed_ = true;
      return done;
    }
  }
  if (complete_ || bytes.empty()) return {};
  std::memcpy(buffer_.data() + buffered_, bytes.data(), bytes.size());
  buffered_ += bytes.size();
  return {};
}

base::Result<void> MigrationStream::expect(std::size_t size, Step step) {
  need_ = size;
  step_ = step;
  return {};
}

base::Result<void> MigrationStream::expect_name(std::uint64_t length, Step step) {
  if (length == 0 || length > 255) return damaged("a name has an impossible length");
  return expect(length, step);
}

base::Result<void> MigrationStream::next_item() { return expect(1, &MigrationStream::on_item); }

base::Result<void> MigrationStream::on_file_header(Bytes bytes) {
  if (number(bytes.first(4)) != kMagic) return damaged("it does not begin as one");
  if (number(bytes.last(4)) != kStreamVersion) return unknown("a format of another version");
  return next_item();
}

base::Result<void> MigrationStream::on_item(Bytes bytes) {
  switch (const auto type = static_cast<unsigned>(number(bytes))) {
    case configuration:
      return expect(4, &MigrationStream::on_configuration_length);
    case subsection:
      return expect(1, &MigrationStream::on_subsection_length);
    case command:
      return expect(4, &MigrationStream::on_command);
    case section_start:
      return expect(4, &MigrationStream::on_section_start);
    case section_part:
    case section_end:
      return expect(4, &MigrationStream::on_section_part);
    case section_footer:
      return expect(4, &MigrationStream::on_ignored);
    case section_full:
    case end_of_stream:
      if (blocks_.empty()) return damaged("it has no RAM");
      complete_ = true;
      return {};
    default:
      return unknown("a section of unknown type " + base::to_hex(type));
  }
}

// The machine's type, then subsections (vmstate_configuration).
base::Result<void> MigrationStream::on_configuration_length(Bytes bytes) {
  return expect_name(number(bytes), &MigrationStream::on_configuration_name);
}

base::Result<void> MigrationStream::on_configuration_name(Bytes bytes) {
  machine_ = text(bytes);
  return next_item();
}

base::Result<void> MigrationStream::on_subsection_length(Bytes bytes) {
  return expect_name(number(bytes), &MigrationStream::on_subsection_name);
}

base::Result<void> MigrationStream::on_subsection_name(Bytes bytes) {
  const std::string name = text(bytes);
  skip_ = 4;  // the version
  if (name == "configuration/target-page-bits") return expect(4, &MigrationStream::on_page_bits);
  if (name == "configuration/capabilities") return expect(4, &MigrationStream::on_capability_count);
  if (name == "configuration/uuid") return expect(16, &MigrationStream::on_ignored);
  return unknown("an unknown part (" + name + ")");
}

base::Result<void> MigrationStream::on_page_bits(Bytes bytes) {
  if (number(bytes) != kPageBits) return unknown("pages that are not of 4 KiB");
  return next_item();
}

base::Result<void> MigrationStream::on_capability_count(Bytes bytes) {
  capabilities_left_ = static_cast<std::uint32_t>(number(bytes));
  if (capabilities_left_ > kMostCapabilities) return damaged("it names too many capabilities");
  if (capabilities_left_ == 0) return next_item();
  return expect(1, &MigrationStream::on_capability_length);
}

base::Result<void> MigrationStream::on_capability_length(Bytes bytes) {
  return expect_name(number(bytes), &MigrationStream::on_capability_name);
}

base::Result<void> MigrationStream::on_capability_name(Bytes bytes) {
  // The capabilities that are named here change what the stream holds.
  return unknown("what the capability " + text(bytes) + " adds");
}

base::Result<void> MigrationStream::on_command(Bytes bytes) {
  if (number(bytes.first(2)) == kCommandPackaged) return unknown("a packaged stream");
  skip_ = number(bytes.last(2));
  return next_item();
}

base::Result<void> MigrationStream::on_ignored(Bytes) { return next_item(); }

base::Result<void> MigrationStream::on_section_start(Bytes bytes) {
  if (section_known_) return unknown("more than RAM");
  section_ = static_cast<std::uint32_t>(number(bytes));
  section_known_ = true;
  return expect(1, &MigrationStream::on_section_name_length);
}

base::Result<void> MigrationStream::on_section_name_length(Bytes bytes) {
  return expect_name(number(bytes), &MigrationStream::on_section_name);
}

base::Result<void> MigrationStream::on_section_name(Bytes bytes) {
  if (text(bytes) != "ram") return unknown("more than RAM (" + text(bytes) + ")");
  return expect(8, &MigrationStream::on_section_version);
}

base::Result<void> MigrationStream::on_section_version(Bytes bytes) {
  if (number(bytes.last(4)) != kRamVersion) return unknown("RAM in a format of another version");
  return next_ram_record();
}

base::Result<void> MigrationStream::on_section_part(Bytes bytes) {
  if (!section_known_ || number(bytes) != section_) return damaged("a section never began");
  return next_ram_record();
}

base::Result<void> MigrationStream::next_ram_record() {
  return expect(8, &MigrationStream::on_ram_word);
}

base::Result<void> MigrationStream::on_ram_word(Bytes bytes) {
  const std::uint64_t word = number(bytes);
  switch (word & all_flags & ~std::uint64_t{same_block}) {
    case end_of_section:
      return next_item();
    case mem_size:
      if (!blocks_.empty()) return damaged("it lists the RAM blocks twice");
      blocks_left_ = word & ~std::uint64_t{all_flags};
      if (blocks_left_ == 0) return damaged("it has no RAM");
      return expect(1, &MigrationStream::on_block_name_length);
    case zero:
    case page:
      page_word_ = word;
      if ((word & same_block) == 0) return expect(1, &MigrationStream::on_page_block_length);
      return begin_page();
    default:
      return unknown("RAM in an unknown form (flags " + base::to_hex(word & all_flags) + ")");
  }
}

base::Result<void> MigrationStream::on_block_name_length(Bytes bytes) {
  return expect_name(number(bytes), &MigrationStream::on_block_name);
}

base::Result<void> MigrationStream::on_block_name(Bytes bytes) {
  name_ = text(bytes);
  return expect(8, &MigrationStream::on_block_size);
}

base::Result<void> MigrationStream::on_block_size(Bytes bytes) {
  const std::uint64_t size = number(bytes);
  if (size == 0 || size % kPage != 0 || size > blocks_left_)
    return damaged("the RAM block " + name_ + " has an impossible size");
  if (blocks_.size() == kMostBlocks) return damaged("it lists too many RAM blocks");
  if (!block_of_name_.emplace(name_, blocks_.size()).second)
    return damaged("it lists the RAM block " + name_ + " twice");
  blocks_.push_back({name_, size});
  blocks_left_ -= size;
  if (blocks_left_ != 0) return expect(1, &MigrationStream::on_block_name_length);
  if (auto told = receiver_.blocks(blocks_); !told) return told;
  return next_ram_record();
}

base::Result<void> MigrationStream::on_page_block_length(Bytes bytes) {
  return expect_name(number(bytes), &MigrationStream::on_page_block_name);
}

base::Result<void> MigrationStream::on_page_block_name(Bytes bytes) {
  const auto found = block_of_name_.find(text(bytes));
  if (found == block_of_name_.end()) return damaged("a page belongs to no RAM block");
  block_ = found->second;
  block_known_ = true;
  return begin_page();
}

base::Result<void> MigrationStream::begin_page() {
  if (!block_known_) return damaged("a page belongs to no RAM block");
  const std::uint64_t offset = page_word_ & ~std::uint64_t{all_flags};
  if (offset >= blocks_[block_].size)
    return damaged("a page lies outside the RAM block " + blocks_[block_].name);
  if ((page_word_ & zero) != 0) return expect(1, &MigrationStream::on_zero_fill);
  return expect(kPage, &MigrationStream::on_page_content);
}

base::Result<void> MigrationStream::on_zero_fill(Bytes bytes) {
  if (number(bytes) != 0) return unknown("pages of one repeated byte");
  const std::uint64_t offset = page_word_ & ~std::uint64_t{all_flags};
  if (auto told = receiver_.zero_page(block_, offset); !told) return told;
  return next_ram_record();
}

base::Result<void> MigrationStream::on_page_content(Bytes bytes) {
  const std::uint64_t offset = page_word_ & ~std::uint64_t{all_flags};
  if (auto told = receiver_.page(block_, offset, bytes.first<kPage>()); !told) return told;
  return next_ram_record();
}

}  // namespace vitrine::memory
