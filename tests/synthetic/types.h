// The C types of a synthetic kernel: the builder chooses where each member lies, may shuffle them,
// and describes the result as BTF, so that a reader can know offsets from nowhere else.
//
// Types are spelled as in C, the parts separated by one blank: "u64", "struct list_head",
// "struct task_struct *", "char[16]", "struct percpu_counter[4]". Unknown names throw
// std::out_of_range.
//
// Thread contract: built by one thread, then immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitrine::synthetic {

struct Field {
  std::string name;  // empty: an anonymous struct, its members found through it
  std::string type;
  std::optional<std::uint32_t> at = {};  // a fixed offset in a spread struct
};

// Where a member lies in its struct.
struct Place {
  std::uint32_t offset = 0;
  std::string type;
};

class Types {
 public:
  // A seed other than 0 shuffles the members of spread structs.
  explicit Types(unsigned shuffle_seed) : seed_(shuffle_seed), random_(shuffle_seed) {}

  void add_integer(std::string name, std::uint32_t size, bool is_signed);
  void add_typedef(std::string name, std::string target);
  // A struct as a C compiler lays it out. A name starting with '<' is anonymous in the BTF.
  void add_struct(const std::string& name, const std::vector<Field>& fields);
  // A struct of `size` bytes whose members are spread over [first, last), others left out. Those
  // with an offset of their own may lie over each other.
  void add_spread(const std::string& name, std::vector<Field> fields, std::uint32_t size,
                  std::uint32_t first, std::uint32_t last);
  void add_anonymous_enum(std::vector<std::pair<std::string, int>> values);

  // Bytes of a type.
  std::uint32_t size(std::string_view type) const;
  // Of a member by its path, e.g. place("uts_namespace", "name.release").
  Place place(const std::string& struct_name, std::string_view path) const;
  std::uint32_t offset(const std::string& struct_name, std::string_view path) const {
    return place(struct_name, path).offset;
  }

  // The raw BTF of all types, as the kernel has it between __start_BTF and __stop_BTF.
  std::vector<std::byte> btf() const;

 private:
  struct Integer {
    std::uint32_t size = 0;
    bool is_signed = false;
  };
  struct Member {
    std::string name;
    std::string type;
    std::uint32_t offset = 0;
  };
  struct Struct {
    std::uint32_t size = 0;
    std::vector<Member> members;
  };
  class BtfWriter;

  std::uint32_t alignment(std::string_view type) const;
  std::optional<Place> find(const Struct& in, std::string_view member) const;

  unsigned seed_;
  std::mt19937 random_;
  std::map<std::string, Integer, std::less<>> integers_;
  std::map<std::string, std::string, std::less<>> typedefs_;
  std::map<std::string, Struct, std::less<>> structs_;
  std::vector<std::vector<std::pair<std::string, int>>> enums_;
};

}  // namespace vitrine::synthetic
