#include "vitrine/kernel/banner.h"

#include <array>
#include <span>

#include "vitrine/paging/walked_memory.h"

namespace vitrine::kernel {
namespace {

constexpr std::size_t kLongestBanner = 2048;
constexpr std::size_t kPiece = 64;  // at most so much beyond its end is read

}  // namespace

base::Result<std::string> read_banner(const Kernel& kernel, memory::PhysicalMemory& memory) {
  const auto at = kernel.symbols.find("linux_banner");
  if (!at)
    return base::fail(base::Code::absent, "this kernel's kallsyms does not name linux_banner");
  paging::WalkedMemory walked(*kernel.space.format, kernel.space.root, memory);
  std::string banner;
  while (banner.size() < kLongestBanner) {
    std::array<char, kPiece> piece{};
    if (auto read = walked.read(*at + banner.size(), std::as_writable_bytes(std::span(piece)));
        !read)
      return base::fail(read.error());
    const std::string_view text(piece.data(), piece.size());
    const std::size_t nul = text.find('\0');
    banner += text.substr(0, nul);
    if (nul == std::string_view::npos) continue;
    if (!banner.starts_with("Linux version " + kernel.release) || !banner.ends_with('\n')) break;
    return banner + '\0';
  }
  return base::fail(base::Code::inconsistent,
                    "linux_banner does not hold what introduces this kernel");
}

}  // namespace vitrine::kernel
