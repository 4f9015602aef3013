// The guest kernel's types, from its own BTF (Documentation/bpf/btf.rst), read by libbpf.
//
// Looking up a name costs a hash search, a member a search through one structure: resolve once when
// a view attaches and keep the offsets. Holds one copy of the BTF (2 to 5 MB) and about 1 MB more.
//
// Thread contract: immutable once parsed; any number of threads may ask. While parse() runs,
// libbpf's print callback, which is one for the whole process, is switched off and then restored:
// a thread that uses libbpf for itself meanwhile may miss a log line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/kernel/symbols.h"
#include "vitrine/memory/virtual_memory.h"

struct btf;

namespace vitrine::kernel {

// A type's number in this kernel's BTF.
struct TypeId {
  std::uint32_t value = 0;
  friend bool operator==(TypeId, TypeId) = default;
};

// Where a member is within the structure it was asked of.
struct Member {
  std::uint64_t offset = 0;      // bytes
  std::uint64_t size = 0;        // bytes; of the whole array, or of a bit field's storage unit
  std::uint32_t bit_offset = 0;  // of a bit field: bits from the storage unit's lowest
  std::uint32_t bit_size = 0;    // of a bit field; 0 for any other member
  bool is_array = false;
  std::uint32_t element_count = 0;  // of an array; 0 for a flexible one
  std::uint64_t element_size = 0;   // of an array, bytes
  TypeId type;                      // as declared, e.g. a typedef
};

class Types {
 public:
  static constexpr std::size_t max_bytes = 64U << 20;

  // Parses raw BTF of a 64-bit little-endian kernel. Errors: `inconsistent` where it is none or is
  // damaged, naming what is wrong.
  static base::Result<Types> parse(std::span<const std::byte> bytes);

  // Parses the BTF between the guest's __start_BTF and __stop_BTF, or, where kallsyms does not name
  // these, the one that is found in the kernel's image. Errors: `unsupported` where the
  // kernel has none (CONFIG_DEBUG_INFO_BTF off), those of the memory, and those of parse().
  static base::Result<Types> read(memory::VirtualMemory& memory, const Symbols& symbols);

  Types(Types&&) noexcept;
  Types& operator=(Types&&) noexcept;
  ~Types();

  // The BTF as parsed, for a cache; valid as long as this object.
  std::span<const std::byte> raw() const;

  // The same as libbpf has it, for who goes through all of it; valid as long as this object.
  const struct btf* handle() const { return btf_.get(); }

  // The structure or union of this name, or the one a typedef of this name stands for. Error:
  // `absent`.
  base::Result<TypeId> find_struct(std::string_view name) const;

  // The size in bytes of a structure, union or any other type. Errors: `absent`, `inconsistent`.
  base::Result<std::uint64_t> size_of(std::string_view struct_name) const;
  base::Result<std::uint64_t> size_of(TypeId type) const;

  // The member that `path` leads to: names joined by dots, elements of arrays as `[2]`, e.g.
  // "uid.val" or "rss_stat[1].count". Anonymous structures and unions are looked through; pointers
  // are not followed. Errors: `absent` where the kernel has no such member, `inconsistent` where
  // the BTF contradicts itself.
  base::Result<Member> member(std::string_view struct_name, std::string_view path) const;
  base::Result<Member> member(TypeId structure, std::string_view path) const;

  bool has_member(std::string_view struct_name, std::string_view path) const;

  // The value of an enumerator, of the enumeration named or, where the name is empty, of the first
  // that has it, e.g. ("", "MM_FILEPAGES"). Error: `absent`.
  base::Result<std::int64_t> enum_value(std::string_view enum_name,
                                        std::string_view enumerator) const;

 private:
  struct Free {
    void operator()(struct btf* types) const;
  };
  struct NamedType {
    std::uint64_t hash = 0;
    std::uint32_t id = 0;
  };
  explicit Types(struct btf* types);

  static base::Result<Types> find(memory::VirtualMemory& memory, base::GuestVirtual stext);
  void index();
  std::string_view text(std::uint32_t offset) const;
  std::optional<TypeId> find(std::string_view name, bool (*kind)(std::uint32_t)) const;
  std::optional<std::int64_t> enumerator_of(std::uint32_t enumeration, std::string_view name) const;

  std::unique_ptr<struct btf, Free> btf_;
  std::vector<NamedType> named_;      // structures, unions, typedefs, enumerations, by hash of name
  std::vector<std::uint32_t> enums_;  // enumerations, the anonymous ones included
};

}  // namespace vitrine::kernel
