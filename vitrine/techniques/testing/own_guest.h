// A VM that is this very process: private RAM at 0 and shared RAM (a memfd) at 4 GB, of which some
// pages are populated. For tests of techniques against a real process.
//
// Thread contract: one thread at a time.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::techniques::testing {

class OwnGuest {
 public:
  static constexpr std::uint64_t page = 4096;
  static constexpr std::uint64_t pages = 64;  // of each part
  static constexpr std::uint64_t size = pages * page;
  static constexpr base::GuestPhysical shared_start{std::uint64_t{4} << 30};

  OwnGuest() : file_(memfd_create("own-guest", MFD_CLOEXEC)) {
    if (!file_.valid() || ftruncate(file_.get(), size) != 0) give_up();
    private_ = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    shared_ = map(MAP_SHARED, file_.get());
    // Of a huge page all would be populated at once.
    madvise(private_, size, MADV_NOHUGEPAGE);
    machine_.process.pid = getpid();
  }
  ~OwnGuest() {
    munmap(private_, size);
    munmap(shared_, size);
  }
  OwnGuest(const OwnGuest&) = delete;
  OwnGuest& operator=(const OwnGuest&) = delete;

  // The host's address of page `number` of either part.
  std::byte* private_page(std::uint64_t number) { return private_ + number * page; }
  std::byte* shared_page(std::uint64_t number) { return shared_ + number * page; }
  static void put(std::byte* at, std::uint64_t value) { std::memcpy(at, &value, sizeof value); }

  const vmm::Machine& machine() const { return machine_; }
  vmm::RamLayout private_layout() const { return {{private_region()}, "test"}; }
  vmm::RamLayout shared_layout() const { return {{shared_region()}, "test"}; }
  vmm::RamLayout layout() const { return {{private_region(), shared_region()}, "test"}; }

  // Pages that the host has allocated.
  std::uint64_t private_allocated() const {
    std::array<unsigned char, pages> resident{};
    if (mincore(private_, size, resident.data()) != 0) give_up();
    std::uint64_t count = 0;
    for (const unsigned char state : resident) count += state & 1;
    return count;
  }
  std::uint64_t shared_allocated() const {
    return static_cast<std::uint64_t>(status().st_blocks) * 512 / page;
  }
  // Has a page of the shared part, though it was never touched where it is mapped.
  void put_into_file(std::uint64_t number, std::uint64_t value) {
    if (pwrite(file_.get(), &value, sizeof value, static_cast<off_t>(number * page)) < 0) give_up();
  }
  // Gives a page back as a balloon does.
  void give_back_shared(std::uint64_t number) { madvise(shared_page(number), page, MADV_REMOVE); }

 private:
  [[noreturn]] static void give_up() {
    throw std::system_error(errno, std::generic_category(), "own guest");
  }
  static std::byte* map(int flags, int file) {
    void* at = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, file, 0);
    if (at == MAP_FAILED) give_up();
    return static_cast<std::byte*>(at);
  }
  struct stat status() const {
    struct stat info {};
    if (fstat(file_.get(), &info) != 0) give_up();
    return info;
  }
  vmm::RamRegion private_region() const {
    vmm::RamRegion region;
    region.size = size;
    region.host = base::HostVirtual(reinterpret_cast<std::uintptr_t>(private_));
    region.block = "private";
    return region;
  }
  vmm::RamRegion shared_region() const {
    const struct stat info = status();
    vmm::RamRegion region;
    region.start = shared_start;
    region.size = size;
    region.host = base::HostVirtual(reinterpret_cast<std::uintptr_t>(shared_));
    region.block = "shared";
    region.backing = vmm::Backing::shared_memory;
    region.shared = true;
    region.dev_major = major(info.st_dev);
    region.dev_minor = minor(info.st_dev);
    region.inode = info.st_ino;
    return region;
  }

  base::FileDescriptor file_;
  std::byte* private_ = nullptr;
  std::byte* shared_ = nullptr;
  vmm::Machine machine_;
};

}  // namespace vitrine::techniques::testing
