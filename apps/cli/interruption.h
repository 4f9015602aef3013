// Ctrl-C, or another request to end, taken as a wish: what is being done is done to its end.
//
// Thread contract: one at a time, since it takes over what signals do.
#pragma once

#include <array>
#include <csignal>

namespace vitrine::cli {

class Interruption {
 public:
  // From now on SIGINT and SIGTERM are only noted; the second of its kind ends the program at once,
  // as it would have before.
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // Whether there was one.
  bool wished() const;

 private:
  static constexpr std::array kSignals{SIGINT, SIGTERM};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace vitrine::cli
