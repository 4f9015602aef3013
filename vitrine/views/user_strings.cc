#include "vitrine/views/user_strings.h"

namespace vitrine::views {

UserStrings UserStrings::attach(Resolver& at) {
  UserStrings strings;
  strings.tables_ = at("mm_struct", "pgd");
  strings.argument_start_ = at("mm_struct", "arg_start");
  strings.argument_end_ = at("mm_struct", "arg_end");
  strings.environment_start_ = at("mm_struct", "env_start");
  strings.environment_end_ = at("mm_struct", "env_end");
  return strings;
}

// Appends what is at [start, end), page by page.
void UserStrings::read(Reader& reader, base::GuestPhysical root, base::GuestVirtual start,
                       base::GuestVirtual end, UserText& text) {
  std::size_t done = text.bytes.size();
  text.bytes.resize(done + (end - start));
  while (start < end) {
    const std::size_t part = std::min(kPage - start.value % kPage, end - start);
    const auto into = std::as_writable_bytes(std::span(text.bytes)).subspan(done, part);
    if (!reader.load_bytes(root, start, into)) {
      std::ranges::fill(into, std::byte{});
      text.gaps.push_back({done, part, reader.fault()});
    }
    start = start + part;
    done += part;
  }
}

UserStrings::End UserStrings::area(Reader& reader, base::GuestVirtual mm, std::uint32_t start_at,
                                   std::uint32_t end_at, UserText& text) const {
  text.bytes.clear();
  text.gaps.clear();
  base::GuestPhysical tables;
  base::GuestVirtual start;
  base::GuestVirtual end;
  if (!reader.load(mm + start_at, start.value) || !reader.load(mm + end_at, end.value) ||
      !root(reader, mm, tables))
    return End::unreadable;
  if (start > end || end.value > kUserEnd || end - start > kMostBytes) return End::implausible;
  read(reader, tables, start, end, text);
  return End::read;
}

UserStrings::End UserStrings::environment(Reader& reader, base::GuestVirtual mm,
                                          UserText& text) const {
  return area(reader, mm, environment_start_, environment_end_, text);
}

UserStrings::End UserStrings::arguments(Reader& reader, base::GuestVirtual mm,
                                        UserText& text) const {
  const End got = area(reader, mm, argument_start_, argument_end_, text);
  // What ends in a page that is missing is not known to run on.
  if (got != End::read || text.bytes.empty() || text.bytes.back() == '\0') return got;
  base::GuestVirtual end;
  base::GuestVirtual environment_end;
  base::GuestPhysical tables;
  if (!reader.load(mm + argument_end_, end.value) ||
      !reader.load(mm + environment_end_, environment_end.value) || !root(reader, mm, tables))
    return End::unreadable;
  if (environment_end <= end) return got;
  const std::size_t own = text.bytes.size();
  const std::size_t gaps = text.gaps.size();
  read(reader, tables, end, std::min(environment_end, end + kPage), text);
  if (text.gaps.size() != gaps) {
    text.gaps.resize(gaps);
    text.bytes.resize(own);
  }
  const std::size_t zero = text.bytes.find('\0');
  const bool in_a_gap = std::ranges::any_of(text.gaps, [zero](const UserText::Gap& gap) {
    return zero >= gap.offset && zero - gap.offset < gap.size;
  });
  if (!in_a_gap) text.bytes.resize(std::min(zero, text.bytes.size()));
  return got;
}

}  // namespace vitrine::views
