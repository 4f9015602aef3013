#include "tests/synthetic/kallsyms.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace vitrine::synthetic {
namespace {

using Tokens = std::basic_string<unsigned char>;

// Names as token numbers, and what each token stands for. As the kernel's own compressor: each
// character that occurs is its own token, the free numbers stand for the most frequent pairs.
class Compressor {
 public:
  explicit Compressor(const std::vector<Symbol>& symbols) {
    for (const Symbol& symbol : symbols) {
      Tokens& name = names.emplace_back();
      name.push_back(static_cast<unsigned char>(symbol.type));
      for (const char c : symbol.name) name.push_back(static_cast<unsigned char>(c));
      for (const unsigned char c : name) text[c] = std::string(1, static_cast<char>(c));
    }
    int rounds = 24;  // enough to meet tokens of tokens; the kernel's tool uses up all numbers
    for (std::size_t token = 255; token > 0 && rounds > 0; --token) {
      if (!text[token].empty()) continue;
      if (!replace_best_pair(static_cast<unsigned char>(token))) break;
      --rounds;
    }
  }

  std::vector<Tokens> names;
  std::array<std::string, 256> text;

 private:
  bool replace_best_pair(unsigned char token) {
    std::vector<int> counts(65536, 0);
    std::size_t best = 0;
    for (const Tokens& name : names)
      for (std::size_t i = 0; i + 1 < name.size(); ++i) {
        const std::size_t pair = std::size_t{name[i]} << 8 | name[i + 1];
        if (++counts[pair] > counts[best]) best = pair;
      }
    if (counts[best] < 2) return false;
    const auto first = static_cast<unsigned char>(best >> 8);
    const auto second = static_cast<unsigned char>(best & 255);
    text[token] = text[first] + text[second];
    for (Tokens& name : names) {
      Tokens shorter;
      for (std::size_t i = 0; i < name.size(); ++i) {
        const bool pair = i + 1 < name.size() && name[i] == first && name[i + 1] == second;
        shorter.push_back(pair ? token : name[i]);
        if (pair) ++i;
      }
      name = std::move(shorter);
    }
    return true;
  }
};

class Writer {
 public:
  Writer(base::GuestVirtual at, std::size_t alignment) : at_(at), alignment_(alignment) {}

  base::GuestVirtual begin_table(const std::string& name) {
    out.bytes.resize((out.bytes.size() + alignment_ - 1) / alignment_ * alignment_);
    return out.tables[name] = here();
  }
  base::GuestVirtual here() const { return at_ + out.bytes.size(); }
  template <class T>
  void put(T value) {
    const auto* raw = reinterpret_cast<const std::byte*>(&value);
    out.bytes.insert(out.bytes.end(), raw, raw + sizeof value);
  }
  void put_text(std::string_view text) {
    for (const char c : text) put(c);
  }

  Kallsyms out;

 private:
  base::GuestVirtual at_;
  std::size_t alignment_;
};

void put_length(Writer& writer, std::size_t length, NameLengths lengths) {
  const bool two_bytes = lengths == NameLengths::uleb128 && length > 127;
  if (length > (lengths == NameLengths::uleb128 ? 16383U : 255U))
    throw std::logic_error("synthetic guest: symbol name too long for the length encoding");
  writer.put(static_cast<std::uint8_t>(two_bytes ? (length & 127) | 128 : length));
  if (two_bytes) writer.put(static_cast<std::uint8_t>(length >> 7));
}

void put_names(Writer& writer, const Compressor& compressed, NameLengths lengths) {
  writer.begin_table("kallsyms_num_syms");
  writer.put(static_cast<std::uint32_t>(compressed.names.size()));
  const base::GuestVirtual names = writer.begin_table("kallsyms_names");
  std::vector<std::uint32_t> markers;
  for (std::size_t i = 0; i < compressed.names.size(); ++i) {
    if (i % 256 == 0) markers.push_back(static_cast<std::uint32_t>(writer.here() - names));
    put_length(writer, compressed.names[i].size(), lengths);
    for (const unsigned char token : compressed.names[i]) writer.put(token);
  }
  writer.begin_table("kallsyms_markers");
  for (const std::uint32_t marker : markers) writer.put(marker);
  const base::GuestVirtual table = writer.begin_table("kallsyms_token_table");
  std::vector<std::uint16_t> index;
  for (const std::string& token : compressed.text) {
    index.push_back(static_cast<std::uint16_t>(writer.here() - table));
    writer.put_text(token);
    writer.put('\0');
  }
  writer.begin_table("kallsyms_token_index");
  for (const std::uint16_t offset : index) writer.put(offset);
}

std::uint32_t encode(std::uint64_t address, SymbolEncoding encoding, std::uint64_t base,
                     base::GuestVirtual place) {
  switch (encoding) {
    case SymbolEncoding::absolute_percpu:
      return static_cast<std::uint32_t>(address < base ? address : base - 1 - address);
    case SymbolEncoding::base_relative:
      return static_cast<std::uint32_t>(address - base);
    case SymbolEncoding::place_relative:
      return static_cast<std::uint32_t>(address - place.value);
  }
  return 0;
}

// The lowest address of the image; per-CPU symbols of kernels where they are zero-based are below.
std::uint64_t relative_base(const std::vector<Symbol>& symbols) {
  std::uint64_t base = UINT64_MAX;
  for (const Symbol& symbol : symbols)
    if (symbol.address >> 63 != 0) base = std::min(base, symbol.address);
  return base;
}

void put_addresses(Writer& writer, const std::vector<Symbol>& symbols, SymbolEncoding encoding) {
  const std::uint64_t base = relative_base(symbols);
  writer.begin_table("kallsyms_offsets");
  for (const Symbol& symbol : symbols)
    writer.put(encode(symbol.address, encoding, base, writer.here()));
  if (encoding == SymbolEncoding::place_relative) return;
  writer.begin_table("kallsyms_relative_base");
  writer.put(base);
}

}  // namespace

Kallsyms build_kallsyms(std::vector<Symbol> symbols, SymbolEncoding encoding, NameLengths lengths,
                        bool offsets_last, base::GuestVirtual at) {
  std::stable_sort(symbols.begin(), symbols.end(),
                   [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
  const Compressor compressed(symbols);
  Writer writer(at, encoding == SymbolEncoding::place_relative ? 4 : 8);
  if (!offsets_last) put_addresses(writer, symbols, encoding);
  put_names(writer, compressed, lengths);
  if (offsets_last) put_addresses(writer, symbols, encoding);
  return std::move(writer.out);
}

}  // namespace vitrine::synthetic
