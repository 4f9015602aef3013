// What a debugger stub may send: the framer must neither read beyond it nor grow without bound, and
// must cut the same packets however the bytes arrive.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "fuzz/fuzzer.h"
#include "vitrine/vmm/gdb_packet.h"

namespace {

constexpr std::size_t kPacketLimit = 256;

std::vector<std::string> packets(std::string_view stream, std::size_t step) {
  vitrine::vmm::GdbFramer framer(kPacketLimit);
  std::vector<std::string> cut;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    framer.feed(stream.substr(at, step));
    while (true) {
      auto packet = framer.next();
      if (!packet) return cut;
      if (!*packet) break;
      if ((*packet)->size() > kPacketLimit) std::abort();
      cut.push_back(std::move(**packet));
    }
  }
  return cut;
}

}  // namespace

VITRINE_FUZZER(gdb_packet) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  if (size == 0) return 0;
  if (packets(stream, 1) != packets(stream, size)) std::abort();
  vitrine::vmm::GdbFramer framer(2 * size);
  framer.feed(vitrine::vmm::gdb_packet(stream));
  auto again = framer.next();
  if (!again || !*again || **again != stream) std::abort();
  std::vector<std::byte> bytes(size / 2);
  (void)vitrine::vmm::decode_hex(stream, bytes);
  return 0;
}
