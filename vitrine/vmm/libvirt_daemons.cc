#include "vitrine/vmm/libvirt_daemons.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace vitrine::vmm {
namespace {

constexpr std::size_t kMaximumDaemons = 64;

// Where daemons listen, relative to the folder of their run-time files.
constexpr std::string_view kSockets[] = {"/libvirt/virtqemud-sock", "/libvirt/libvirt-sock"};

bool of_the_system(std::string_view path) {
  return path.starts_with("/run/libvirt/") || path.starts_with("/var/run/libvirt/");
}

// What may stand in the query of a URI as it is (RFC 3986); "&", "=" and "%" would be read.
std::string escaped(std::string_view path) {
  std::string text;
  for (const char c : path) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::string_view("/-._~").find(c) != std::string_view::npos;
    text += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

}  // namespace

std::vector<LibvirtDaemon> libvirt_daemons(const host::ProcRoot& proc) {
  const auto text = host::read_file(proc.of("net/unix"), 16 << 20);
  std::vector<LibvirtDaemon> daemons;
  if (!text) return daemons;
  for (const std::string_view socket : kSockets) {
    std::vector<std::string> paths;
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      // A line ends with the path; connections that were accepted there have the same one.
      const std::size_t path = line.find(" /");
      if (path != line.npos && line.ends_with(socket)) paths.emplace_back(line.substr(path + 1));
    }
    std::ranges::sort(paths);
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
    for (const std::string& path : paths) {
      if (daemons.size() == kMaximumDaemons) return daemons;
      const char* const driver = of_the_system(path) ? "system" : "session";
      daemons.push_back({fmt::format("qemu+unix:///{}?socket={}", driver, escaped(path)),
                         fmt::format("qemu:///{}", driver)});
    }
  }
  return daemons;
}

DomainName DomainName::parse(std::string_view text) {
  // The name of a domain holds no slash.
  const std::size_t slash = text.rfind('/');
  if (slash == text.npos) return {{}, std::string(text)};
  return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

}  // namespace vitrine::vmm
