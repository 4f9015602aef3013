// What a VMM may send in place of QMP. The same messages are cut however the bytes arrive, each
// within the limit; where the whole stream is one JSON object, it is the message.
#include "fuzz/fuzzer.h"
#include "fuzz/require.h"
#include "vitrine/base/json.h"
#include "vitrine/vmm/json_framer.h"

namespace {

using vitrine::fuzz::require;

constexpr std::size_t kMessageLimit = 200;

struct Cut {
  std::vector<std::string> messages;
  std::optional<vitrine::base::Code> error;

  friend bool operator==(const Cut&, const Cut&) = default;
};

Cut cut(std::string_view stream, std::size_t step) {
  vitrine::vmm::JsonFramer framer(kMessageLimit);
  Cut result;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    framer.feed(stream.substr(at, step));
    while (true) {
      auto message = framer.next();
      if (!message) {
        result.error = message.error().code;
        return result;
      }
      if (!*message) break;
      require((*message)->size() <= kMessageLimit);
      require((*message)->starts_with('{') && (*message)->ends_with('}'));
      result.messages.push_back(std::move(**message));
    }
  }
  return result;
}

}  // namespace

VITRINE_FUZZER(json_framer) {
  if (size == 0) return 0;
  const auto stream = vitrine::fuzz::text_of(data + 1, size - 1);
  const Cut whole = cut(stream, size);
  require(cut(stream, 1) == whole);
  require(cut(stream, data[0] + std::size_t{1}) == whole);
  std::size_t bytes = 0;
  for (const std::string& message : whole.messages) bytes += message.size();
  require(bytes <= stream.size());
  if (!stream.starts_with('{') || !stream.ends_with('}') || stream.size() > kMessageLimit) return 0;
  // The parser takes NUL for the end of its input.
  if (stream.find('\0') == stream.npos && nlohmann::json::accept(stream))
    require(whole.messages == std::vector<std::string>{std::string(stream)});
  return 0;
}
