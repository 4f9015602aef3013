// What is known of the terminal behind a descriptor, and how a screen is redrawn on it.
//
// Thread contract: inspect reads the environment, so no thread may change it meanwhile; the rest
// are pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "vitrine/base/result.h"

namespace vitrine::cli {

struct Terminal {
  bool interactive = false;  // a terminal, not a file or a pipe
  bool cursor = false;       // obeys cursor movement: interactive, and TERM is set and not "dumb"
  bool colour = false;       // cursor, and NO_COLOR is unset or empty (no-color.org)
  std::size_t width = 0;     // columns; 0 where lines may be of any length
  std::size_t height = 0;    // lines; 0 where unknown
};

// The terminal behind `fd`. Its size is that of COLUMNS and LINES, which the user sets on purpose,
// else that of the kernel (TIOCGWINSZ), else 80 columns. What is no terminal has no width: files
// and pipes get every byte.
Terminal inspect(int fd);

// What to write so that `body` takes the place of what the last frame showed: from the top left
// corner, clearing what remains, and cut to the terminal's height with a last line that says how
// much is missing, so that nothing scrolls. Without a cursor it is the body itself.
std::string next_frame(std::string_view body, const Terminal& terminal);

// Writes all of it, in as many calls as that takes; the error names the cause (a full disk, a
// closed pipe).
base::Result<void> write_fully(int fd, std::string_view text);

// A line of progress on a terminal that is overwritten by the next and vanishes at the end. Shows
// nothing where there is no cursor, so that logs stay clean.
class Progress {
 public:
  Progress(int fd, const Terminal& terminal) : fd_(fd), terminal_(terminal) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  void show(std::string_view text);
  void clear();

 private:
  int fd_;
  Terminal terminal_;
  bool shown_ = false;
};

}  // namespace vitrine::cli
