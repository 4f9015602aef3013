#include "tests/live/guest_ram.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "vitrine/base/file_descriptor.h"

namespace vitrine::live {
namespace {

namespace fs = std::filesystem;

// The largest memfd that the VMM has open.
fs::path memory_file(pid_t vmm) {
  fs::path largest;
  std::uintmax_t size = 0;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(vmm) + "/fd")) {
    std::error_code error;
    if (!fs::read_symlink(entry, error).string().starts_with("/memfd:")) continue;
    struct stat info {};
    if (stat(entry.path().c_str(), &info) != 0) continue;
    if (static_cast<std::uintmax_t>(info.st_size) <= size) continue;
    size = static_cast<std::uintmax_t>(info.st_size);
    largest = entry.path();
  }
  if (largest.empty()) throw std::runtime_error("the VMM has no memfd open");
  return largest;
}

}  // namespace

GuestRam::GuestRam(const Guest& guest) {
  const base::FileDescriptor file(open(memory_file(guest.pid()).c_str(), O_RDWR | O_CLOEXEC));
  struct stat info {};
  if (!file.valid() || fstat(file.get(), &info) != 0) throw std::runtime_error("RAM: open");
  const auto size = static_cast<std::size_t>(info.st_size);
  void* at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (at == MAP_FAILED) throw std::runtime_error("RAM: mmap");
  bytes_ = {static_cast<char*>(at), size};
}

GuestRam::~GuestRam() { munmap(bytes_.data(), bytes_.size()); }

int GuestRam::blot_out(std::string_view what) {
  int found = 0;
  std::span<char> left = bytes_;
  while (auto* at =
             static_cast<char*>(memmem(left.data(), left.size(), what.data(), what.size()))) {
    std::fill_n(at, what.size(), 'X');
    left = left.subspan(static_cast<std::size_t>(at - left.data()) + what.size());
    ++found;
  }
  return found;
}

}  // namespace vitrine::live
