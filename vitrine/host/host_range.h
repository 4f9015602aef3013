// A piece of a process's memory, and several as text, as a keeper (keeper.h) is told of them.
//
// Thread contract: plain values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/address.h"

namespace vitrine::host {

struct HostRange {
  base::HostVirtual start;
  std::uint64_t size = 0;  // bytes

  base::HostVirtual end() const { return start + size; }
  friend bool operator==(const HostRange&, const HostRange&) = default;
};

// "START SIZE" of each, in hex, each after a blank.
std::string ranges_text(std::span<const HostRange> ranges);
// As much as can be read of such a text.
std::vector<HostRange> ranges_of_text(std::string_view text);

}  // namespace vitrine::host
