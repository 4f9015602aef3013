#include "vitrine/kernel/typed_value.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace vitrine::kernel {
namespace {

using base::Code;
using base::GuestVirtual;
using base::kPage;

constexpr int kMostDepth = 24;

// The bytes of a value, page by page as they could be read.
class Content {
 public:
  Content(memory::VirtualMemory& memory, GuestVirtual at, std::uint64_t size)
      : at_(at), bytes_(size) {
    for (std::uint64_t done = 0; done < size;) {
      const std::uint64_t part = std::min(size - done, kPage - (at.value + done) % kPage);
      auto read = memory.read(at + done, std::span(bytes_).subspan(done, part));
      errors_.push_back(read ? std::nullopt : std::optional(read.error()));
      done += part;
    }
  }

  // Why [offset, offset + size) cannot be told; null where it can. REQUIRES: within the content.
  const base::Error* missing(std::uint64_t offset, std::uint64_t size) const {
    const std::uint64_t first = (at_.value % kPage + offset) / kPage;
    const std::uint64_t last =
        (at_.value % kPage + offset + std::max(size, std::uint64_t{1}) - 1) / kPage;
    for (std::uint64_t page = first; page <= last && page < errors_.size(); ++page)
      if (errors_[page]) return &*errors_[page];
    return nullptr;
  }

  std::uint64_t size() const { return bytes_.size(); }
  const std::byte* at(std::uint64_t offset) const { return bytes_.data() + offset; }

 private:
  GuestVirtual at_;
  std::vector<std::byte> bytes_;
  std::vector<std::optional<base::Error>> errors_;  // by page
};

class Decoder {
 public:
  Decoder(const TypeCatalog& types, const Content& content) : types_(types), content_(content) {}

  TypedValue decode(const LayoutMember& member, std::uint64_t offset, int depth) {
    TypedValue value;
    value.name = member.name;
    value.type = types_.text(member.type);
    const TypeShape shape = types_.shape(member.type);
    if (left_ == 0 || depth == kMostDepth || offset > content_.size() ||
        shape.size > content_.size() - offset) {
      value.value = TypedValue::Missing{{Code::invalid, "too much to be shown"}};
      return value;
    }
    --left_;
    if (shape.kind == TypeKind::structure || shape.kind == TypeKind::union_type)
      value.value = members(shape, offset, depth);
    else if (shape.kind == TypeKind::array)
      array(value, shape, offset, depth);
    else if (const base::Error* why = content_.missing(offset, shape.size))
      value.value = TypedValue::Missing{*why};
    else
      scalar(value, shape, member, offset);
    return value;
  }

 private:
  TypedValue::Group members(const TypeShape& shape, std::uint64_t offset, int depth) {
    TypedValue::Group group;
    for (const LayoutMember& member : types_.members(shape.plain))
      group.parts.push_back(decode(member, offset + member.offset, depth + 1));
    return group;
  }

  void array(TypedValue& value, const TypeShape& shape, std::uint64_t offset, int depth) {
    const TypeShape element = types_.shape(shape.target);
    if (element.kind == TypeKind::character && shape.count != 0) {
      if (const base::Error* why = content_.missing(offset, shape.size)) {
        value.value = TypedValue::Missing{*why};
        return;
      }
      const auto* text = reinterpret_cast<const char*>(content_.at(offset));
      value.value = std::string(text, strnlen(text, shape.size));
      return;
    }
    TypedValue::Group group;
    group.is_array = true;
    const std::uint64_t shown = std::min<std::uint64_t>(shape.count, kMostElements);
    for (std::uint64_t i = 0; i < shown && left_ != 0; ++i)
      group.parts.push_back(
          decode({.name = {}, .type = shape.target}, offset + i * element.size, depth + 1));
    group.left_out = shape.count - group.parts.size();
    value.value = std::move(group);
  }

  std::uint64_t load(std::uint64_t offset, std::uint64_t size) const {
    std::uint64_t number = 0;
    std::memcpy(&number, content_.at(offset), std::min<std::uint64_t>(size, sizeof number));
    return number;
  }

  void scalar(TypedValue& value, const TypeShape& shape, const LayoutMember& member,
              std::uint64_t offset) {
    if (shape.size == 0 || shape.size > sizeof(std::uint64_t)) return;
    std::uint64_t bits = load(offset, shape.size);
    std::uint64_t width = shape.size * 8;
    if (member.bit_size != 0) {
      bits >>= member.bit_offset;
      width = member.bit_size;
    }
    if (width < 64) bits &= (std::uint64_t{1} << width) - 1;
    const auto extended = static_cast<std::int64_t>(bits << (64 - width)) >> (64 - width);
    switch (shape.kind) {
      case TypeKind::boolean:
        value.value = bits != 0;
        break;
      case TypeKind::pointer:
        value.value =
            TypedValue::Pointer{bits, types_.shape(shape.target).kind == TypeKind::function};
        break;
      case TypeKind::enumeration:
        value.value =
            enumerated(shape, shape.is_signed ? extended : static_cast<std::int64_t>(bits));
        break;
      case TypeKind::integer:
      case TypeKind::character:
        if (shape.is_signed)
          value.value = extended;
        else
          value.value = bits;
        break;
      default:
        break;
    }
  }

  TypedValue::Enumerated enumerated(const TypeShape& shape, std::int64_t number) const {
    for (const Enumerator& one : types_.enumerators(shape.plain))
      if (one.value == number) return {number, one.name};
    return {number, {}};
  }

  const TypeCatalog& types_;
  const Content& content_;
  std::size_t left_ = kMostValues;
};

}  // namespace

base::Result<TypedValue> read_value(const TypeCatalog& types, memory::VirtualMemory& memory,
                                    const LayoutMember& member, GuestVirtual address) {
  const std::uint64_t size = types.shape(member.type).size;
  if (size == 0)
    return base::fail(Code::invalid, types.text(member.type) + " has no size, so no value");
  if (size > kMostBytes)
    return base::fail(Code::invalid, types.text(member.type) + " is too large to be shown whole",
                      "name a member of it");
  const Content content(memory, address, size);
  return Decoder(types, content).decode(member, 0, 0);
}

}  // namespace vitrine::kernel
