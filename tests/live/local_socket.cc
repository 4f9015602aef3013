#include "tests/live/local_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace vitrine::live {
namespace {

using Clock = std::chrono::steady_clock;

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  return left.count() < 0 ? 0 : static_cast<int>(left.count());
}

}  // namespace

LocalSocket::LocalSocket(const std::filesystem::path& path, std::chrono::milliseconds limit) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = path.string();
  if (name.size() >= sizeof address.sun_path) throw std::runtime_error(name + " is too long");
  std::memcpy(address.sun_path, name.data(), name.size());
  const auto deadline = Clock::now() + limit;
  for (;;) {
    descriptor_ = base::FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(descriptor_.get(), generic, sizeof address) == 0) return;
    if (Clock::now() > deadline) {
      throw std::runtime_error("no connection to " + name + ": " + std::strerror(errno));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void LocalSocket::send(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::send(descriptor_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (count < 0) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string LocalSocket::read_until(std::string_view mark, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  std::size_t searched = 0;
  for (;;) {
    const std::size_t found = received_.find(mark, searched);
    if (found != std::string::npos) {
      std::string text = received_.substr(0, found + mark.size());
      received_.erase(0, found + mark.size());
      return text;
    }
    searched = received_.size() < mark.size() ? 0 : received_.size() - mark.size();
    pollfd waiting{descriptor_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, milliseconds_until(deadline)) <= 0) {
      throw std::runtime_error("waited in vain for \"" + std::string(mark) +
                               "\"; read: " + received_);
    }
    std::array<char, 65536> piece{};
    const ssize_t count = ::recv(descriptor_.get(), piece.data(), piece.size(), 0);
    if (count <= 0) throw std::runtime_error("the other side ended the stream: " + received_);
    received_.append(piece.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace vitrine::live
