// What libvirt writes before a saved VM, as a damaged or forged file may have it; and the stream
// behind it, indexed.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "fuzz/fuzzer.h"
#include "vitrine/memory/libvirt_save.h"
#include "vitrine/memory/stream_memory.h"

VITRINE_FUZZER(libvirt_save) {
  using namespace vitrine::memory;
  static const int file = memfd_create("save", 0);
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) < 0) return 0;
  const auto save = read_libvirt_save(file);
  if (!save) return 0;
  if (save->stream > size || save->xml.size() > size) std::abort();
  const auto stream = StreamMemory::create(vitrine::base::FileDescriptor(dup(file)), save->stream);
  if (!stream) return 0;
  for (const Range& range : (*stream)->ram()) {
    std::array<std::byte, 64> bytes{};
    (*stream)->read(range.start, bytes);
    (*stream)->populated(range);
  }
  return 0;
}
