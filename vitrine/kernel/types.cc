#include "vitrine/kernel/types.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <mutex>

#include "vitrine/kernel/image_scan.h"
#include "vitrine/kernel/member_search.h"

namespace vitrine::kernel {
namespace {

using base::Code;
using base::Result;

// Keeps libbpf from printing what it thinks of a guest's bytes.
class QuietLibbpf {
 public:
  QuietLibbpf() : lock_(mutex()), previous_(libbpf_set_print(nullptr)) {}
  ~QuietLibbpf() { libbpf_set_print(previous_); }
  QuietLibbpf(const QuietLibbpf&) = delete;
  QuietLibbpf& operator=(const QuietLibbpf&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }

  std::lock_guard<std::mutex> lock_;
  libbpf_print_fn_t previous_;
};

// Why `bytes` cannot be BTF as a kernel holds it in memory; nullptr where they can. Checked before
// libbpf sees them, which trusts more than this.
const char* header_fault(std::span<const std::byte> bytes) {
  btf_header header{};
  if (bytes.size() < sizeof header) return "it is too short for a header";
  if (bytes.size() > Types::max_bytes) return "it is larger than any kernel's";
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != BTF_MAGIC) return "its magic number is wrong";
  if (header.version != BTF_VERSION) return "its version is unknown";
  if (header.flags != 0 || header.hdr_len != sizeof header) return "its header is unknown";
  const std::size_t payload = bytes.size() - sizeof header;
  if (header.type_off % 4 != 0 || header.type_off > payload ||
      header.type_len > payload - header.type_off) {
    return "its types lie outside of it";
  }
  if (header.str_off > payload || header.str_len > payload - header.str_off) {
    return "its strings lie outside of it";
  }
  if (header.str_len == 0 ||
      bytes[sizeof header + header.str_off + header.str_len - 1] != std::byte{0}) {
    return "its strings do not end";
  }
  return nullptr;
}

bool is_composite(std::uint32_t kind) { return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION; }
bool is_typedef(std::uint32_t kind) { return kind == BTF_KIND_TYPEDEF; }
bool is_enum(std::uint32_t kind) { return kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64; }

std::uint64_t hash(std::string_view name) { return std::hash<std::string_view>{}(name); }

}  // namespace

void Types::Free::operator()(struct btf* types) const { btf__free(types); }

Types::Types(struct btf* types) : btf_(types) {}
Types::Types(Types&&) noexcept = default;
Types& Types::operator=(Types&&) noexcept = default;
Types::~Types() = default;

Result<Types> Types::parse(std::span<const std::byte> bytes) {
  auto damaged = [](const char* why) {
    return base::fail(Code::inconsistent, std::string("the guest's BTF is damaged: ") + why,
                      "reboot the guest: without its types nothing in it can be explained");
  };
  if (const char* fault = header_fault(bytes)) return damaged(fault);
  struct btf* parsed = nullptr;
  {
    const QuietLibbpf quiet;
    parsed = btf__new(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
    if (libbpf_get_error(parsed) != 0) return damaged("libbpf cannot parse its types");
  }
  Types types(parsed);
  btf__set_pointer_size(parsed, sizeof(std::uint64_t));
  types.index();
  return types;
}

// Without CONFIG_KALLSYMS_ALL no symbol says where it is: it is found by how it begins.
Result<Types> Types::find(memory::VirtualMemory& memory, base::GuestVirtual stext) {
  constexpr btf_header kBeginning{.magic = BTF_MAGIC,
                                  .version = BTF_VERSION,
                                  .flags = 0,
                                  .hdr_len = sizeof(btf_header),
                                  .type_off = 0,
                                  .type_len = 0,
                                  .str_off = 0,
                                  .str_len = 0};
  constexpr int kMostBeginnings = 16;
  const auto wanted =
      std::as_bytes(std::span(&kBeginning, 1)).first(offsetof(btf_header, type_len));
  auto found =
      base::Result<Types>(base::fail(Code::unsupported, "the guest kernel carries no BTF",
                                     "the guest needs a kernel built with CONFIG_DEBUG_INFO_BTF"));
  int tries = 0;
  find_in_image(memory, stext, wanted, [&](base::GuestVirtual at) {
    std::vector<std::byte> bytes(sizeof(btf_header));
    btf_header header{};
    if (!memory.read(at, bytes)) return true;
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::uint64_t size =
        sizeof header + std::max(std::uint64_t{header.type_off} + header.type_len,
                                 std::uint64_t{header.str_off} + header.str_len);
    if (size > max_bytes) return true;
    bytes.resize(size);
    if (!memory.read(at, bytes)) return true;
    auto types = parse(bytes);
    if (types && types->find_struct("task_struct")) found = std::move(types);
    return !found && ++tries < kMostBeginnings;
  });
  return found;
}

Result<Types> Types::read(memory::VirtualMemory& memory, const Symbols& symbols) {
  const std::array<std::string_view, 2> names = {"__start_BTF", "__stop_BTF"};
  const auto bounds = symbols.find(names);
  if (!bounds[0] || !bounds[1]) return find(memory, symbols.raw().stext);
  const std::uint64_t size = *bounds[1] - *bounds[0];
  if (size == 0 || size > max_bytes) {
    return base::fail(Code::inconsistent, "the bounds of the guest's BTF make no sense");
  }
  std::vector<std::byte> bytes(size);
  if (auto read = memory.read(*bounds[0], bytes); !read) return base::fail(read.error());
  return parse(bytes);
}

std::span<const std::byte> Types::raw() const {
  std::uint32_t size = 0;
  const void* bytes = btf__raw_data(btf_.get(), &size);
  return {static_cast<const std::byte*>(bytes), size};
}

std::string_view Types::text(std::uint32_t offset) const {
  const char* const text = btf__name_by_offset(btf_.get(), offset);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

void Types::index() {
  const std::uint32_t count = btf__type_cnt(btf_.get());
  for (std::uint32_t id = 1; id < count; ++id) {
    const btf_type* const type = btf__type_by_id(btf_.get(), id);
    const std::uint32_t kind = btf_kind(type);
    if (is_enum(kind)) enums_.push_back(id);
    if (!is_composite(kind) && !is_typedef(kind) && !is_enum(kind)) continue;
    if (const auto name = text(type->name_off); !name.empty()) named_.push_back({hash(name), id});
  }
  named_.shrink_to_fit();
  std::sort(named_.begin(), named_.end(), [](const NamedType& a, const NamedType& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.id < b.id;
  });
}

std::optional<TypeId> Types::find(std::string_view name, bool (*kind)(std::uint32_t)) const {
  auto candidate = std::lower_bound(
      named_.begin(), named_.end(), hash(name),
      [](const NamedType& type, std::uint64_t wanted) { return type.hash < wanted; });
  for (; candidate != named_.end() && candidate->hash == hash(name); ++candidate) {
    const btf_type* const type = btf__type_by_id(btf_.get(), candidate->id);
    if (kind(btf_kind(type)) && text(type->name_off) == name) return TypeId{candidate->id};
  }
  return std::nullopt;
}

Result<TypeId> Types::find_struct(std::string_view name) const {
  if (const auto structure = find(name, is_composite)) return *structure;
  if (const auto alias = find(name, is_typedef)) {
    const std::uint32_t id = MemberSearch(btf_.get()).plain(alias->value);
    const btf_type* const type = btf__type_by_id(btf_.get(), id);
    if (type != nullptr && is_composite(btf_kind(type))) return TypeId{id};
  }
  return base::fail(Code::absent, "this kernel's BTF has no struct " + std::string(name));
}

Result<std::uint64_t> Types::size_of(TypeId type) const {
  return MemberSearch(btf_.get()).size_of(type.value);
}

Result<std::uint64_t> Types::size_of(std::string_view struct_name) const {
  return find_struct(struct_name).and_then([this](TypeId id) { return size_of(id); });
}

Result<Member> Types::member(std::string_view struct_name, std::string_view path) const {
  const auto id = find_struct(struct_name);
  if (!id) return base::fail(id.error());
  return MemberSearch(btf_.get()).find(*id, struct_name, path);
}

Result<Member> Types::member(TypeId structure, std::string_view path) const {
  const btf_type* const type = btf__type_by_id(btf_.get(), structure.value);
  if (type == nullptr) return base::fail(Code::invalid, "this kernel's BTF has no such type");
  return MemberSearch(btf_.get()).find(structure, text(type->name_off), path);
}

bool Types::has_member(std::string_view struct_name, std::string_view path) const {
  return member(struct_name, path).has_value();
}

std::optional<std::int64_t> Types::enumerator_of(std::uint32_t enumeration,
                                                 std::string_view name) const {
  const btf_type* const type = btf__type_by_id(btf_.get(), enumeration);
  for (std::uint32_t i = 0; i < btf_vlen(type); ++i) {
    if (btf_kind(type) == BTF_KIND_ENUM64) {
      const struct btf_enum64* const value = btf_enum64(type) + i;
      if (text(value->name_off) != name) continue;
      return static_cast<std::int64_t>(btf_enum64_value(value));
    }
    // Taken as signed: which ones are is only told since 6.0.
    const struct btf_enum* const value = btf_enum(type) + i;
    if (text(value->name_off) == name) return value->val;
  }
  return std::nullopt;
}

Result<std::int64_t> Types::enum_value(std::string_view enum_name,
                                       std::string_view enumerator) const {
  std::vector<std::uint32_t> only;
  if (!enum_name.empty()) {
    const auto named = find(enum_name, is_enum);
    if (!named) {
      return base::fail(Code::absent, "this kernel's BTF has no enum " + std::string(enum_name));
    }
    only.push_back(named->value);
  }
  for (const std::uint32_t id : enum_name.empty() ? enums_ : only) {
    if (const auto value = enumerator_of(id, enumerator)) return *value;
  }
  return base::fail(Code::absent, "this kernel's BTF has no enumerator " + std::string(enumerator));
}

}  // namespace vitrine::kernel
