// Modules of a synthetic guest, linked as the kernel links them: the newest first.
//
// Thread contract: one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/synthetic/kernel.h"

namespace vitrine::synthetic {

struct ModuleFunction {
  std::string name;
  std::uint64_t offset = 0;  // in the module's code, bytes
};

struct Module {
  std::string name;
  std::uint32_t size = 0x4000;  // bytes, of which half is code
  std::uint32_t state = 0;
  std::uint64_t taints = 0;
  std::int32_t references = 0;  // besides the kernel's own
  std::vector<ModuleFunction> functions = {};
  std::vector<std::pair<std::string, std::int32_t>> numbers = {};  // parameters of type int
  std::vector<std::pair<std::string, std::string>> texts = {};     // of type charp
};

class Modules {
 public:
  explicit Modules(Kernel& kernel) : kernel_(kernel) {}

  // Where its struct module is.
  GuestVirtual add(const Module& module);
  GuestVirtual text(GuestVirtual module) const;
  // `user` uses `used`.
  void use(GuestVirtual user, GuestVirtual used);

 private:
  GuestVirtual copy(std::string_view text);
  // Where the description of a part of its memory is.
  GuestVirtual part(GuestVirtual module, std::uint64_t number) const;
  void insert_after(GuestVirtual head, GuestVirtual node);
  void put_memory(GuestVirtual at, const Module& module);
  void put_symbols(GuestVirtual at, const Module& module);
  void put_parameters(GuestVirtual at, const Module& module);

  Kernel& kernel_;
};

}  // namespace vitrine::synthetic
