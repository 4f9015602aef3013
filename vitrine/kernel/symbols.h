// The guest kernel's symbols by name and by address, decoded from its own kallsyms. The tables stay
// compressed, as the guest keeps them: about 3 MB for 200,000 symbols.
//
// Looking up names costs one pass over all names however many are asked for, so ask for all at
// once.
//
// Thread contract: immutable once made; any number of threads may ask.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/kernel/kallsyms.h"
#include "vitrine/kernel/kallsyms_names.h"

namespace vitrine::kernel {

// The symbol that an address belongs to.
struct SymbolHit {
  std::string name;  // hostile text
  base::GuestVirtual address;
  std::uint64_t offset = 0;  // bytes from there to the address asked for
};

class Symbols {
 public:
  // Reads and decodes the tables of the guest behind `memory`. Errors: those of read_kallsyms() and
  // decode().
  static base::Result<Symbols> read(memory::VirtualMemory& memory, const Vmcoreinfo& info);

  // Checks every table whole and chooses the encodings: the ones by which all names are well formed
  // and `_stext` is where VMCOREINFO says. Errors: `inconsistent` where none does.
  static base::Result<Symbols> decode(KallsymsTables tables);

  // Looks up names that will be asked for, in a single pass, and keeps the answers: find() of these
  // costs nothing then. To be called before the symbols are shared between threads.
  void remember(std::span<const std::string_view> names);

  // The tables as read, for a cache: decode() makes the same symbols of them again.
  const KallsymsTables& raw() const { return tables_; }

  std::uint32_t count() const { return tables_.symbols; }

  // The address of the first symbol of exactly this name; nullopt where there is none.
  std::optional<base::GuestVirtual> find(std::string_view name) const;

  // The same for each of `names`, in their order, in a single pass.
  std::vector<std::optional<base::GuestVirtual>> find(
      std::span<const std::string_view> names) const;

  // Calls `each` for every symbol, in the order of the tables: its name, hostile text, the letter
  // that nm(1) gives to its kind, and its address.
  using Each = std::function<void(std::string_view name, char kind, base::GuestVirtual address)>;
  void for_each(const Each& each) const;

  // The symbol with the highest address that is not above `wanted` (the first of several there);
  // nullopt below `_stext` and above the last symbol, where kallsyms knows nothing.
  std::optional<SymbolHit> containing(base::GuestVirtual wanted) const;

  // The lowest address of a symbol above `wanted`: the end of what begins there, alignment
  // included; nullopt above the last symbol.
  std::optional<base::GuestVirtual> next_address_after(base::GuestVirtual wanted) const;

 private:
  // How kallsyms_offsets stands for addresses.
  enum class Encoding : std::uint8_t {
    base_relative,    // relative_base + unsigned value (4.6 to 6.x)
    absolute_percpu,  // value where not negative, else relative_base - 1 - value (4.6 to 6.15)
    place_relative,   // address of the entry + signed value (since 7.0)
  };
  struct Token {
    std::uint32_t begin = 0;
    std::uint32_t length = 0;
  };

  explicit Symbols(KallsymsTables tables) : tables_(std::move(tables)) {}

  bool check_sizes() const;
  bool index_tokens();
  bool index_names();
  bool check_name(const CompressedName& name) const;
  bool choose_encoding();
  void index_addresses();

  std::string_view token(std::size_t number) const;
  std::string_view token_at(std::size_t position) const;
  std::vector<std::optional<std::uint32_t>> find_indices(
      std::span<const std::string_view> names) const;
  std::string name(std::uint32_t index) const;
  base::GuestVirtual address(std::uint32_t index) const;
  // The index of the symbol at a place in the order of addresses.
  std::uint32_t by_address(std::uint32_t place) const;
  // The first place in the order of addresses whose symbol is above `wanted`; count() if none.
  std::uint32_t place_above(base::GuestVirtual wanted) const;

  struct Remembered {
    std::string name;
    std::optional<base::GuestVirtual> address;
  };

  KallsymsTables tables_;
  std::vector<Remembered> remembered_;  // few
  NameLengths lengths_ = NameLengths::two_bytes;
  Encoding encoding_ = Encoding::place_relative;
  std::array<Token, 256> tokens_{};
  std::vector<std::uint32_t> markers_;  // where every 256th name begins
  std::vector<std::uint32_t> order_;    // symbols by address; empty where they are sorted already
};

}  // namespace vitrine::kernel
