// What a guest agent may send: the first byte says how the stream is split.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/fuzzer.h"
#include "vitrine/base/base64.h"
#include "vitrine/vmm/guest_agent.h"

VITRINE_FUZZER(agent) {
  if (size == 0) return 0;
  std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] + std::size_t{1};
  vitrine::vmm::AgentLines lines(256);
  while (!stream.empty()) {
    lines.feed(stream.substr(0, piece));
    stream.remove_prefix(std::min(piece, stream.size()));
    while (true) {
      const auto line = lines.next();
      if (!line) continue;
      if (!*line) break;
      (void)vitrine::vmm::parse_agent_answer("x", (*line)->text);
      (void)vitrine::base::decode_base64((*line)->text);
    }
  }
  return 0;
}
