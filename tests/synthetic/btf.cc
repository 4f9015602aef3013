// Types as BTF. Every distinct spelling is one BTF type; since types may refer to later ones, the
// numbers are given first, in the order in which the types are then written.

#include <bpf/btf.h>

#include <memory>
#include <stdexcept>

#include "tests/synthetic/types.h"

namespace vitrine::synthetic {

class Types::BtfWriter {
 public:
  explicit BtfWriter(const Types& types) : types_(types) {}

  std::vector<std::byte> write() {
    number("unsigned int");  // the type of array indices
    for (const auto& [name, unused] : types_.structs_) number("struct " + name);
    for (const auto& [name, unused] : types_.integers_) number(name);
    for (const auto& [name, unused] : types_.typedefs_) number(name);
    // NOLINTNEXTLINE(modernize-loop-convert): emit() makes the list longer
    for (std::size_t next = 0; next < order_.size(); ++next) emit(std::string(order_[next]));
    for (const auto& values : types_.enums_) {
      check(btf__add_enum(btf_.get(), nullptr, 4));
      for (const auto& [name, value] : values)
        check(btf__add_enum_value(btf_.get(), name.c_str(), value));
    }
    std::uint32_t size = 0;
    const auto* raw = static_cast<const std::byte*>(btf__raw_data(btf_.get(), &size));
    if (raw == nullptr) throw std::runtime_error("synthetic guest: BTF cannot be written");
    return {raw, raw + size};
  }

 private:
  // The number of a type; reserves one, and so the type's place in the order, where it is new.
  int number(const std::string& type) {
    const auto [place, is_new] = numbers_.emplace(type, static_cast<int>(order_.size()) + 1);
    if (is_new) order_.push_back(type);
    return place->second;
  }

  static int check(int result) {
    if (result < 0) throw std::runtime_error("synthetic guest: BTF cannot be written");
    return result;
  }

  void emit(const std::string& type) {
    struct btf* out = btf_.get();
    const std::size_t bracket = type.rfind('[');
    if (type == "void *") {
      check(btf__add_ptr(out, 0));
    } else if (type.ends_with('*')) {
      check(btf__add_ptr(out, number(type.substr(0, type.find_last_not_of(" *") + 1))));
    } else if (type.ends_with(']')) {
      check(btf__add_array(out, number("unsigned int"), number(type.substr(0, bracket)),
                           static_cast<std::uint32_t>(std::stoul(type.substr(bracket + 1)))));
    } else if (type.starts_with("struct ")) {
      emit_struct(type.substr(7));
    } else if (types_.typedefs_.contains(type)) {
      check(btf__add_typedef(out, type.c_str(), number(types_.typedefs_.at(type))));
    } else {
      const Integer& integer = types_.integers_.at(type);
      const int encoding = !integer.is_signed ? 0 : type == "char" ? BTF_INT_CHAR : BTF_INT_SIGNED;
      check(btf__add_int(out, type.c_str(), integer.size, encoding));
    }
  }

  void emit_struct(const std::string& name) {
    const auto found = types_.structs_.find(name);
    if (found == types_.structs_.end()) {  // only pointed to
      check(btf__add_fwd(btf_.get(), name.c_str(), BTF_FWD_STRUCT));
      return;
    }
    const bool anonymous = name.starts_with('<');
    check(btf__add_struct(btf_.get(), anonymous ? nullptr : name.c_str(), found->second.size));
    for (const Member& member : found->second.members)
      check(btf__add_field(btf_.get(), member.name.empty() ? nullptr : member.name.c_str(),
                           number(member.type), member.offset * 8, 0));
  }

  struct Free {
    void operator()(struct btf* object) const { btf__free(object); }
  };

  const Types& types_;
  std::unique_ptr<struct btf, Free> btf_{btf__new_empty()};
  std::vector<std::string> order_;
  std::map<std::string, int> numbers_;
};

std::vector<std::byte> Types::btf() const { return BtfWriter(*this).write(); }

}  // namespace vitrine::synthetic
