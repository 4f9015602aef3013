#include "tests/live/disk.h"

#include <cstdlib>
#include <fstream>
#include <utility>

namespace vitrine::live {

const std::vector<DiskAccess>& disk_accesses() {
  static const std::vector<DiskAccess> accesses{
      {"Threads", {"-drive", "file=DISK,format=raw,if=virtio,cache=none,aio=threads"}, false},
      {"LinuxAio", {"-drive", "file=DISK,format=raw,if=virtio,cache=none,aio=native"}, true},
      {"IoUring", {"-drive", "file=DISK,format=raw,if=virtio,cache=none,aio=io_uring"}, true},
      {"OwnThread",
       {"-object", "iothread,id=io", "-drive",
        "file=DISK,format=raw,if=none,id=disk,cache=none,aio=native", "-device",
        "virtio-blk-pci,drive=disk,iothread=io"},
       true}};
  return accesses;
}

std::string make_disk(const std::filesystem::path& folder) {
  if (const char* given = std::getenv("VITRINE_DISK")) return given;
  const std::filesystem::path path = folder / "disk";
  std::ofstream(path).close();
  std::filesystem::resize_file(path, 64 << 20);
  return path;
}

std::vector<std::string> drive_arguments(const DiskAccess& access,
                                         const std::filesystem::path& folder) {
  const std::string disk = make_disk(folder);
  std::vector<std::string> arguments;
  for (std::string argument : access.drive) {
    if (const auto at = argument.find("DISK"); at != std::string::npos)
      argument.replace(at, 4, disk);
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

}  // namespace vitrine::live
