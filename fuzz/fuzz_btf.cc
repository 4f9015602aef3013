// BTF as a guest may forge it.
#include <cstddef>
#include <cstdint>
#include <span>

#include "vitrine/kernel/types.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
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
  return 0;
}
