// Reads an image back with libkdumpfile, which knows nothing of what wrote it.
//
// What cannot be opened throws std::runtime_error.
//
// Thread contract: one thread at a time.
#pragma once

#include <fcntl.h>
#include <libkdumpfile/kdumpfile.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::images::testing {

class DumpReader {
 public:
  explicit DumpReader(const std::filesystem::path& path)
      : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC)), context_(kdump_new()) {
    if (kdump_open_fd(context_.get(), file_.get()) != KDUMP_OK)
      throw std::runtime_error(path.string() + ": " + error());
  }

  // Fills `into` from a guest-physical address; false where the dump lacks it.
  bool read(base::GuestPhysical at, std::span<std::byte> into) {
    std::size_t length = into.size();
    return kdump_read(context_.get(), KDUMP_MACHPHYSADDR, at.value, into.data(), &length) ==
               KDUMP_OK &&
           length == into.size();
  }

  // By the address at which the guest's kernel sees it.
  bool read(base::GuestVirtual at, std::span<std::byte> into) {
    std::size_t length = into.size();
    return kdump_read(context_.get(), KDUMP_KVADDR, at.value, into.data(), &length) == KDUMP_OK &&
           length == into.size();
  }

  std::string text(const char* attribute) {
    const char* value = nullptr;
    return kdump_get_string_attr(context_.get(), attribute, &value) == KDUMP_OK
               ? value
               : "(" + error() + ")";
  }

  std::optional<std::uint64_t> number(const char* attribute) {
    kdump_attr_t value{};
    if (kdump_get_attr(context_.get(), attribute, &value) != KDUMP_OK) return std::nullopt;
    return value.type == KDUMP_ADDRESS ? value.val.address : value.val.number;
  }

  std::string vmcoreinfo() {
    // It looks into the notes of a system that it was told is Linux.
    kdump_set_string_attr(context_.get(), KDUMP_ATTR_OSTYPE, "linux");
    char* raw = nullptr;
    if (kdump_vmcoreinfo_raw(context_.get(), &raw) != KDUMP_OK) return "(" + error() + ")";
    const std::unique_ptr<char, decltype(&std::free)> owned(raw, &std::free);
    return raw;
  }

 private:
  struct Free {
    void operator()(kdump_ctx_t* context) const { kdump_free(context); }
  };

  std::string error() const {
    const char* text = kdump_get_err(context_.get());
    return text == nullptr ? "no error" : text;
  }

  base::FileDescriptor file_;
  std::unique_ptr<kdump_ctx_t, Free> context_;
};

// A dump as a guest's memory, so that everything above memory/ can look at it.
class DumpMemory final : public memory::PhysicalMemory {
 public:
  DumpMemory(const std::filesystem::path& path, std::vector<memory::Range> ram)
      : reader_(path), ram_(std::move(ram)) {}

  using PhysicalMemory::read;
  void read(std::span<memory::ReadRequest> requests) override {
    for (memory::ReadRequest& request : requests)
      request.status = reader_.read(request.address, request.into)
                           ? memory::ReadStatus::ok
                           : memory::ReadStatus::not_populated;
  }
  std::span<const memory::Range> ram() const override { return ram_; }
  std::vector<memory::Range> populated(memory::Range within) override { return {within}; }

  DumpReader& reader() { return reader_; }

 private:
  DumpReader reader_;
  std::vector<memory::Range> ram_;
};

}  // namespace vitrine::images::testing
