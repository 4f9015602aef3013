// A view: rows decoded from the guest, one file per subject. Views know nothing of how bytes are
// obtained: that is the reader's business.
//
// Thread contract: one thread at a time per view.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/memory/physical_memory.h"
#include "vitrine/views/guard.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/value.h"

namespace vitrine::kernel {
struct Kernel;
}

namespace vitrine::views {

// A collection tells of so many things that went wrong one by one, lest a damaged guest fill the
// screen.
constexpr std::size_t kMaxWarnings = 10;

// How a collection went.
struct Outcome {
  bool complete = true;               // every row was found; fields tell for themselves
  std::vector<std::string> warnings;  // what is missing and why
};

class View {
 public:
  virtual ~View() = default;

  virtual std::string_view name() const = 0;
  virtual std::span<const Column> columns() const = 0;

  // Says which columns will be looked at, by name: those on demand are null unless they are among
  // them, and cost nothing. What this guest has not for one of them, its rows say. Both `kernel`
  // and `memory` outlive the view.
  virtual void want(const kernel::Kernel& kernel, memory::PhysicalMemory& memory,
                    std::span<const std::string_view> columns) {
    static_cast<void>(kernel), static_cast<void>(memory), static_cast<void>(columns);
  }

  // Reads all rows anew. The reader's observation has begun. What is read, and where, follows from
  // what was read before in this collection alone: where every value is still the same, another
  // collection would read the very same (consistency/ relies on it).
  virtual Outcome collect(Reader& reader) = 0;

  // What guards what a collection reads: locks of the whole kernel, none where that is not known;
  // and those of the objects that the last collection met.
  virtual std::span<const GlobalGuard> global_guards() const { return {}; }
  virtual void add_object_guards(std::vector<ObjectGuard>& /*guards*/) const {}

  virtual std::size_t size() const = 0;
  // One row of the last collection, as declared by columns().
  virtual Row row(std::size_t index) const = 0;
};

}  // namespace vitrine::views
