// Follows a member's path ("rss_stat[1].count") through the types of a BTF.
//
// Thread contract: one thread at a time; reads the BTF only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "vitrine/kernel/types.h"

struct btf_member;
struct btf_type;

namespace vitrine::kernel {

class MemberSearch {
 public:
  explicit MemberSearch(const struct btf* types) : btf_(types) {}

  // As Types::member(); `structure_name` is for messages only.
  base::Result<Member> find(TypeId structure, std::string_view structure_name,
                            std::string_view path);

  // Looks through typedefs, const, volatile, restrict and type tags; 0 where they do not end.
  std::uint32_t plain(std::uint32_t type) const;
  base::Result<std::uint64_t> size_of(std::uint32_t type) const;

 private:
  // The named member of `structure` or of an anonymous one within it, its offset relative to
  // `structure`; nullopt where there is none.
  std::optional<Member> named_member(std::uint32_t structure, std::string_view name, int depth);
  std::optional<Member> describe(const btf_type& structure, std::uint32_t index) const;
  bool describe_array(Member& member) const;
  // Narrows `member`, an array, to the element that `index` ("2") names.
  bool take_element(Member& member, std::string_view index) const;

  const struct btf* btf_;
  std::uint32_t budget_ = 1'000'000;  // members looked at: anonymous types may nest without end
};

}  // namespace vitrine::kernel
