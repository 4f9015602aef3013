// A terminal taken over for a while: keys one by one, without echo, on a screen of its own. All is
// as before when it goes out of scope.
//
// Thread contract: one thread; one at a time, since it takes over what signals do.
#pragma once

#include <termios.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>

#include "vitrine/base/result.h"

namespace vitrine::cli {

struct Key {
  enum class Name : std::uint8_t {
    character,
    enter,
    escape,
    backspace,
    up,
    down,
    page_up,
    page_down,
    home,
    end,
    interrupt,  // Ctrl-C, or the program is asked to end
    resized,    // the terminal has another size
  };
  Name name = Name::character;
  char character = 0;  // printable ASCII

  friend bool operator==(const Key&, const Key&) = default;
};

// The key that `input` begins with, which is taken from it; nothing where there is none, or where
// it is one that means nothing here. Terminals send escape sequences for keys that are no
// characters (ECMA-48, xterm's ctlseqs).
std::optional<Key> take_key(std::string_view& input);

class Keyboard {
 public:
  // Takes over the terminal that `in` and `out` are. Error: as tcsetattr.
  static base::Result<Keyboard> open(int in, int out);
  Keyboard(Keyboard&& other) noexcept;
  Keyboard& operator=(Keyboard&&) = delete;
  ~Keyboard();

  // The next key, or nothing when the time is over.
  std::optional<Key> wait(std::chrono::milliseconds time);

 private:
  Keyboard(int in, int out, const termios& before, const sigset_t& signals)
      : in_(in), out_(out), before_(before), signals_(signals) {}
  void restore() const;

  int in_;
  int out_;
  bool open_ = true;
  termios before_;
  sigset_t signals_;  // those that were blocked before
  std::string pending_;
};

}  // namespace vitrine::cli
