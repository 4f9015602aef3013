#include "apps/cli/keyboard.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "apps/cli/terminal.h"

namespace vitrine::cli {
namespace {

using Name = Key::Name;

constexpr std::string_view kOwnScreen = "\x1b[?1049h\x1b[?25l";  // and no cursor
constexpr std::string_view kFormerScreen = "\x1b[?25h\x1b[?1049l";
constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP, SIGWINCH};

volatile std::sig_atomic_t last_signal = 0;

void note_signal(int number) {
  // That the program is asked to end is not to be forgotten.
  if (last_signal == 0 || last_signal == SIGWINCH) last_signal = number;
}

constexpr std::array<std::pair<std::string_view, Name>, 13> kSequences{{
    {"[A", Name::up},
    {"OA", Name::up},
    {"[B", Name::down},
    {"OB", Name::down},
    {"[5~", Name::page_up},
    {"[6~", Name::page_down},
    {"[H", Name::home},
    {"OH", Name::home},
    {"[1~", Name::home},
    {"[7~", Name::home},
    {"[F", Name::end},
    {"OF", Name::end},
    {"[4~", Name::end},
}};

// Behind an escape character: what ends with a letter or ~ is one key.
std::optional<Key> take_sequence(std::string_view& input) {
  if (input.empty() || (input[0] != '[' && input[0] != 'O')) return Key{Name::escape};
  std::size_t length = 1;
  while (length < input.size() && input[length] < '@') ++length;
  const std::string_view sequence = input.substr(0, length + 1);
  input.remove_prefix(sequence.size());
  for (const auto& [text, name] : kSequences)
    if (sequence == text) return Key{name};
  return std::nullopt;
}

}  // namespace

std::optional<Key> take_key(std::string_view& input) {
  while (!input.empty()) {
    const char first = input[0];
    input.remove_prefix(1);
    if (first == '\x1b') {
      if (auto key = take_sequence(input)) return key;
    } else if (first == '\r' || first == '\n') {
      return Key{Name::enter};
    } else if (first == '\x7f' || first == '\b') {
      return Key{Name::backspace};
    } else if (first == '\x03') {
      return Key{Name::interrupt};
    } else if (first >= ' ' && first < '\x7f') {
      return Key{Name::character, first};
    }
  }
  return std::nullopt;
}

base::Result<Keyboard> Keyboard::open(int in, int out) {
  termios before{};
  if (::tcgetattr(in, &before) != 0)
    return base::fail_errno(errno, "tcgetattr", "the terminal can't be taken over");
  termios raw = before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);
  raw.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL);
  if (::tcsetattr(in, TCSANOW, &raw) != 0)
    return base::fail_errno(errno, "tcsetattr", "the terminal can't be taken over");
  // They are let in only while it waits for keys, so that none comes unnoticed.
  sigset_t blocked;
  sigset_t former;
  ::sigemptyset(&blocked);
  struct sigaction action {};
  action.sa_handler = note_signal;
  last_signal = 0;
  for (const int number : kSignals) {
    ::sigaddset(&blocked, number);
    ::sigaction(number, &action, nullptr);
  }
  ::pthread_sigmask(SIG_BLOCK, &blocked, &former);
  (void)write_fully(out, kOwnScreen);
  return Keyboard(in, out, before, former);
}

Keyboard::Keyboard(Keyboard&& other) noexcept
    : in_(other.in_),
      out_(other.out_),
      open_(std::exchange(other.open_, false)),
      before_(other.before_),
      signals_(other.signals_),
      pending_(std::move(other.pending_)) {}

Keyboard::~Keyboard() {
  if (open_) restore();
}

void Keyboard::restore() const {
  (void)write_fully(out_, kFormerScreen);
  ::tcsetattr(in_, TCSANOW, &before_);
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (const int number : kSignals) ::sigaction(number, &action, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &signals_, nullptr);
}

std::optional<Key> Keyboard::wait(std::chrono::milliseconds time) {
  std::string_view left = pending_;
  auto key = take_key(left);
  pending_ = std::string(left);
  if (key) return key;
  pollfd descriptor{.fd = in_, .events = POLLIN, .revents = 0};
  const timespec limit{.tv_sec = time.count() / 1000, .tv_nsec = time.count() % 1000 * 1'000'000};
  const int ready = ::ppoll(&descriptor, 1, &limit, &signals_);
  if (ready < 0) {
    const int number = std::exchange(last_signal, 0);
    return Key{number == 0 || number == SIGWINCH ? Name::resized : Name::interrupt};
  }
  if (ready == 0) return std::nullopt;
  std::array<char, 256> bytes{};
  const ssize_t count = ::read(in_, bytes.data(), bytes.size());
  // Nobody is at the terminal any more.
  if (count <= 0) return Key{Name::interrupt};
  left = std::string_view(bytes.data(), static_cast<std::size_t>(count));
  key = take_key(left);
  pending_ = std::string(left);
  return key;
}

}  // namespace vitrine::cli
