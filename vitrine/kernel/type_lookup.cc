#include "vitrine/kernel/type_lookup.h"

#include <array>
#include <charconv>
#include <string>

namespace vitrine::kernel {
namespace {

using base::Result;

// Numbers separated by blanks; what is absent begins with "!" and goes on with the message.
constexpr std::size_t kMemberNumbers = 8;

std::string written(const Member& member) {
  const std::array<std::uint64_t, kMemberNumbers> numbers{
      member.offset,   member.size,          member.bit_offset,   member.bit_size,
      member.is_array, member.element_count, member.element_size, member.type.value};
  std::string text;
  for (const std::uint64_t number : numbers) text += std::to_string(number) + ' ';
  return text;
}

std::uint64_t take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  if (!text.empty()) text.remove_prefix(1);
  return value;
}

Member parsed_member(std::string_view text) {
  Member member;
  member.offset = take_number(text);
  member.size = take_number(text);
  member.bit_offset = static_cast<std::uint32_t>(take_number(text));
  member.bit_size = static_cast<std::uint32_t>(take_number(text));
  member.is_array = take_number(text) != 0;
  member.element_count = static_cast<std::uint32_t>(take_number(text));
  member.element_size = take_number(text);
  member.type.value = static_cast<std::uint32_t>(take_number(text));
  return member;
}

std::string written(std::uint64_t number) { return std::to_string(number); }
std::string written(std::int64_t number) {
  return std::to_string(static_cast<std::uint64_t>(number));
}

// The answer that is known, or what `ask` finds in the types, which is known from then on. Only
// what is there or is not is worth keeping; other errors are not answers.
template <class T, class Parse, class Ask>
Result<T> answered(Answers& answers, Tables& tables, const std::string& question, Parse&& parse,
                   Ask&& ask) {
  if (const auto answer = answers.find(question)) {
    if (answer->starts_with('!')) return base::fail(base::Code::absent, answer->substr(1));
    return parse(*answer);
  }
  const auto types = tables.types();
  if (!types) return base::fail(types.error());
  Result<T> found = ask(**types);
  if (found)
    answers.add(question, written(*found));
  else if (found.error().code == base::Code::absent)
    answers.add(question, "!" + found.error().message);
  return found;
}

}  // namespace

Result<Member> TypeLookup::member(std::string_view struct_name, std::string_view path) const {
  return answered<Member>(
      *answers_, *tables_, "member " + std::string(struct_name) + ' ' + std::string(path),
      parsed_member, [&](const Types& types) { return types.member(struct_name, path); });
}

bool TypeLookup::has_member(std::string_view struct_name, std::string_view path) const {
  return member(struct_name, path).has_value();
}

Result<std::uint64_t> TypeLookup::size_of(std::string_view struct_name) const {
  return answered<std::uint64_t>(
      *answers_, *tables_, "size " + std::string(struct_name),
      [](std::string_view text) { return take_number(text); },
      [&](const Types& types) { return types.size_of(struct_name); });
}

Result<std::int64_t> TypeLookup::enum_value(std::string_view enum_name,
                                            std::string_view enumerator) const {
  return answered<std::int64_t>(
      *answers_, *tables_, "enum " + std::string(enum_name) + ' ' + std::string(enumerator),
      [](std::string_view text) { return static_cast<std::int64_t>(take_number(text)); },
      [&](const Types& types) { return types.enum_value(enum_name, enumerator); });
}

}  // namespace vitrine::kernel
