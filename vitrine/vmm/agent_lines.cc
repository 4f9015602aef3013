#include "vitrine/vmm/agent_lines.h"

#include <utility>

namespace vitrine::vmm {

base::Result<std::optional<AgentLine>> AgentLines::next() {
  constexpr char kMark = '\xff';
  while (true) {
    const auto end = buffer_.find('\n', scanned_);
    const bool complete = end != std::string::npos;
    const bool too_long = (complete ? end : buffer_.size()) > limit_;
    if (!complete && !too_long && !skipping_) {
      scanned_ = buffer_.size();
      return std::optional<AgentLine>{};
    }
    std::string line = too_long || skipping_ ? std::string() : buffer_.substr(0, end);
    buffer_.erase(0, complete ? end + 1 : buffer_.size());
    scanned_ = 0;
    const bool continued = std::exchange(skipping_, !complete);
    if (too_long && !continued)
      return base::fail(base::Code::unsupported, "the guest agent's answer is longer than " +
                                                     std::to_string(limit_) + " bytes");
    if (!complete) return std::optional<AgentLine>{};
    const auto mark = line.rfind(kMark);
    if (mark != std::string::npos) line.erase(0, mark + 1);
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    return AgentLine{std::move(line), mark != std::string::npos};
  }
}

}  // namespace vitrine::vmm
