// One option argument of a VMM's command line, which is any user's choice. What is written as
// "key=value" comes back the same when it is written again, sizes never exceed 64 bits unnoticed,
// and the items take no more room than a multiple of the text.
#include <fmt/format.h>

#include "fuzz/fuzzer.h"
#include "fuzz/require.h"
#include "vitrine/vmm/option_list.h"

namespace {

using vitrine::fuzz::require;
using vitrine::vmm::OptionList;
using vitrine::vmm::parse_size;

void append_doubled(std::string& to, std::string_view text) {
  for (const char c : text) {
    to += c;
    if (c == ',') to += c;
  }
}

void check_written_again(const OptionList& list) {
  std::string written = "first=";  // the text must not begin with "{", which is JSON
  for (const auto& [key, value] : list.items()) {
    if (key.starts_with(',')) return;  // three commas would mean one that is doubled, then one
    written += ',';
    append_doubled(written, key);
    written += '=';
    append_doubled(written, value);
  }
  const auto again = OptionList::parse(written, "").items();
  require(again.size() == list.items().size() + 1);
  require(std::equal(list.items().begin(), list.items().end(), again.begin() + 1));
}

void check_size(std::string_view text) {
  const auto plain = parse_size(text);
  const auto mebibytes = parse_size(text, 1 << 20);
  if (!plain) return;
  require(parse_size(fmt::format("{}", *plain)) == plain);
  require(parse_size(fmt::format("0x{:x}", *plain)) == plain);
  // A unit only ever makes a plain number larger.
  require(!mebibytes || *mebibytes >= *plain);
}

}  // namespace

VITRINE_FUZZER(option_list) {
  constexpr std::size_t kRoom = 256;  // bytes of items for each byte of text
  const auto text = vitrine::fuzz::text_of(data, size);
  const auto list = OptionList::parse(text, "implied");
  std::size_t room = 0;
  for (const auto& [key, value] : list.items()) {
    room += key.size() + value.size();
    require(list.get(key).has_value());
    (void)list.on(key);
    check_size(value);
  }
  require(room <= kRoom * (size + 1));
  if (!text.starts_with('{')) check_written_again(list);
  check_size(text);
  return 0;
}
