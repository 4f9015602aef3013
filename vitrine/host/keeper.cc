#include "vitrine/host/keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <utility>

#include "vitrine/host/detached_process.h"

namespace vitrine::host {
namespace {

using base::Code;
using base::fail;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kLargestMessage = 16 << 10;
constexpr milliseconds kPatience{5000};
constexpr milliseconds kLookingAfter{50};
constexpr milliseconds kForEver{3'600'000};

// A message: whether all went well, then texts, each ended by a zero byte. Those of an error are
// its code, message and remedy.
constexpr char kDone = '+';
constexpr char kFailed = '-';

std::string message_of(const Task::Answer& answer) {
  std::string message(1, answer ? kDone : kFailed);
  const auto add = [&message](std::string_view text) { (message += text) += '\0'; };
  if (answer) {
    for (const std::string& text : *answer) add(text);
  } else {
    add(std::to_string(static_cast<int>(answer.error().code)));
    add(answer.error().message);
    add(answer.error().remedy);
  }
  return message;
}

Task::Answer answer_of(std::string_view message) {
  std::vector<std::string> texts;
  for (std::string_view rest = message.substr(1); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    texts.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (message.front() == kDone) return texts;
  texts.resize(3);
  return fail(base::Error{static_cast<Code>(std::atoi(texts[0].c_str())), std::move(texts[1]),
                          std::move(texts[2])});
}

// Whether there is something to be read before `limit` is over; a closed end counts.
bool readable(int socket, milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  while (true) {
    pollfd ready{socket, POLLIN, 0};
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    const int got = poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (got >= 0 || errno != EINTR) return got > 0;
  }
}

// The message that arrived; empty where the other end was closed.
std::string receive(int socket) {
  std::string message(kLargestMessage, '\0');
  const ssize_t got = recv(socket, message.data(), message.size(), 0);
  message.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return message;
}

// What it holds stands still while it waits for a processor. Without the right to it, it may wait.
void come_first() {
  const sched_param lowest_of_real_time{1};
  sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest_of_real_time);
}

// It is not to be ended for want of memory either.
void stay_alive() { std::ofstream("/proc/self/oom_score_adj") << -1000; }

bool hung_up(int socket) {
  pollfd state{socket, POLLRDHUP, 0};
  return poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// The keeper's whole life.
void serve(base::FileDescriptor asker, Task& task) {
  task.abandoned = [&asker] { return hung_up(asker.get()); };
  come_first();
  stay_alive();
  Clock::time_point looked_after = Clock::now();
  while (!task.finished()) {
    const int source = asker.valid() ? asker.get() : task.listener();
    if (source < 0) return;
    const bool asked = readable(source, task.busy() ? kLookingAfter : kForEver);
    if (Clock::now() - looked_after >= kLookingAfter) {
      task.look_after();
      looked_after = Clock::now();
    }
    if (!asked) continue;
    if (!asker.valid()) {
      asker = base::FileDescriptor(accept4(source, nullptr, nullptr, SOCK_CLOEXEC));
      continue;
    }
    const std::string request = receive(asker.get());
    const std::string answer = request.empty() ? "" : message_of(task.answer(request));
    if (request.empty() || send(asker.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0)
      asker = base::FileDescriptor();
  }
}

// The address of a socket at `path`, however long that is: through the descriptor of its folder.
base::Result<sockaddr_un> address_of(const std::filesystem::path& path,
                                     const base::FileDescriptor& folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name =
      fmt::format("/proc/self/fd/{}/{}", folder.get(), path.filename().string());
  if (!folder.valid() || name.size() >= sizeof address.sun_path)
    return fail(Code::invalid, "there can be no socket at " + path.string());
  std::ranges::copy(name, address.sun_path);
  return address;
}

base::FileDescriptor open_folder(const std::filesystem::path& path) {
  return base::FileDescriptor(open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// Others may be waiting for the one that keeps it.
bool limit_waiting(int socket) {
  const timeval limit{std::chrono::duration_cast<std::chrono::seconds>(kPatience).count(), 0};
  return setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0;
}

// Whether the other end belongs to the same user.
bool is_ours(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

base::FileDescriptor new_socket() {
  return base::FileDescriptor(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

}  // namespace

base::Result<Keeper> Keeper::start(const char* name,
                                   const std::function<std::unique_ptr<Task>()>& make) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return base::fail_errno(errno, "socketpair", "cannot talk with a guardian process");
  base::FileDescriptor ours(ends[0]);
  const base::FileDescriptor theirs(ends[1]);
  const std::array<int, 1> kept{theirs.get()};
  auto started =
      start_detached(name, kept, [&] { serve(base::FileDescriptor(theirs.get()), *make()); });
  if (!started) return fail(started.error());
  return Keeper(std::move(ours));
}

base::Result<Keeper> Keeper::find(const std::filesystem::path& path) {
  const base::FileDescriptor folder = open_folder(path);
  const auto address = address_of(path, folder);
  if (!address) return fail(address.error());
  base::FileDescriptor ours = new_socket();
  if (!ours.valid() || !limit_waiting(ours.get()) ||
      connect(ours.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      !is_ours(ours.get()))
    return fail(Code::absent, "there is no process that keeps it");
  return Keeper(std::move(ours));
}

base::Result<base::FileDescriptor> listen_at(const std::filesystem::path& path) {
  const base::FileDescriptor folder = open_folder(path);
  const auto address = address_of(path, folder);
  if (!address) return fail(address.error());
  unlink(path.c_str());
  base::FileDescriptor listener = new_socket();
  if (!listener.valid() ||
      bind(listener.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      listen(listener.get(), 1) != 0)
    return base::fail_errno(errno, "bind", "cannot make a socket at " + path.string());
  return listener;
}

Task::Answer Keeper::ask(std::string_view request, milliseconds limit) {
  const base::Error lost{Code::gone, "the process that holds the VM for us is gone",
                         "the VM runs on; try again"};
  if (send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return fail(lost);
  if (!readable(socket_.get(), limit + kPatience)) {
    // Its answer would be taken for that to the next request. Closed, it undoes everything and
    // ends.
    socket_ = base::FileDescriptor();
    return fail(Code::timeout, "the process that holds the VM for us does not answer");
  }
  const std::string message = receive(socket_.get());
  if (message.empty()) return fail(lost);
  return answer_of(message);
}

}  // namespace vitrine::host
