#include "vitrine/images/isf.h"

#include <fmt/format.h>

#include <span>

#include "vitrine/base/base64.h"
#include "vitrine/base/json_string.h"
#include "vitrine/images/isf_types.h"
#include "vitrine/images/sha256.h"

namespace vitrine::images {
namespace {

using base::json_string;

constexpr std::string_view kBanner = "linux_banner";

std::string sha256_of(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

// Where types and symbols are from: BTF is none of the kinds that the format knows.
std::string metadata(const IsfSource& source, const kernel::Types& types) {
  return fmt::format(R"("metadata":{{"linux":{{"symbols":[{{"kind":"symtab","name":{}}}],)"
                     R"("types":[{{"name":{},"hash_type":"sha256","hash_value":"{}"}}]}},)"
                     R"("producer":{{"name":"vitrine","version":{}}},"format":"6.2.0"}})",
                     json_string("kallsyms of " + source.release),
                     json_string("BTF of " + source.release), sha256_of(types.raw()),
                     json_string(source.producer_version));
}

std::size_t write_symbols(const IsfSource& source, const IsfTypes& types,
                          const kernel::VariableTypes& variables, kernel::SymbolList& symbols,
                          TextOutput& output) {
  symbols.sort_by_name();
  std::size_t count = 0;
  for (std::size_t i = 0; i < symbols.size() && !output.failed(); ++i) {
    const kernel::ListedSymbol symbol = symbols[i];
    if (i != 0 && symbols[i - 1].name == symbol.name) continue;
    const auto type = variables.find(symbol.name);
    const bool constant = symbol.name == kBanner && source.banner;
    output.put(fmt::format(
        R"({}{}:{{"type":{},"address":{}{}}})", count++ == 0 ? "\n" : ",\n",
        json_string(symbol.name), type ? types.reference(*type) : types.reference(kernel::TypeId{}),
        kernel::as_linked(symbol.address, source.kernel_offset).value,
        constant ? R"(,"constant_data":")" + base::encode_base64(*source.banner) + '"'
                 : std::string()));
  }
  return count;
}

}  // namespace

IsfCounts write_isf(const IsfSource& source, const kernel::Types& types,
                    kernel::SymbolList& symbols, TextOutput& output) {
  const IsfTypes isf(types);
  output.put("{" + metadata(source, types) + ",\n\"base_types\":{");
  isf.write_base_types(output);
  output.put("},\n\"user_types\":{");
  isf.write_user_types(output);
  output.put("},\n\"enums\":{");
  isf.write_enums(output);
  output.put("},\n\"symbols\":{");
  const kernel::VariableTypes variables(types);
  const std::size_t count = write_symbols(source, isf, variables, symbols, output);
  output.put("}}\n");
  return {count, isf.user_types(), isf.enums()};
}

}  // namespace vitrine::images
