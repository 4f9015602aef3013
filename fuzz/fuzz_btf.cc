// BTF as a guest may forge it.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "fuzz/fuzzer.h"
#include "fuzz/require.h"
#include "vitrine/base/json.h"
#include "vitrine/images/isf_types.h"
#include "vitrine/kernel/types.h"

namespace {

// Whatever the types are, the document of them is one, and ends.
void write_profile(const vitrine::kernel::Types& types) {
  std::string text = "{\"base\":{";
  vitrine::images::TextOutput output([&text](std::string_view block) {
    text += block;
    return vitrine::base::Result<void>();
  });
  const vitrine::images::IsfTypes isf(types);
  isf.write_base_types(output);
  output.put("},\"types\":{");
  isf.write_user_types(output);
  output.put("},\"enums\":{");
  isf.write_enums(output);
  output.put("}}");
  vitrine::fuzz::require(output.finish().has_value());
  vitrine::fuzz::require(!vitrine::base::parse_json(text).is_discarded());
}

}  // namespace

VITRINE_FUZZER(btf) {
  using namespace vitrine::kernel;
  const auto types = Types::parse(std::as_bytes(std::span(data, size)));
  if (!types) return 0;
  for (const char* name : {"task", "counter", "kuid_t", "loop"}) {
    (void)types->size_of(name);
    for (const char* path : {"pid", "uid.val", "stat", "stat[1].count", "a", "b", "tail[3]", "x"}) {
      (void)types->member(name, path);
    }
  }
  (void)types->enum_value("", "MM_ANONPAGES");
  (void)types->enum_value("mode", "OFF");
  (void)types->enum_value("wide", "HUGE");
  write_profile(*types);
  return 0;
}
