#include "vitrine/vmm/qmp.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <random>

#include "vitrine/base/json.h"
#include "vitrine/vmm/qmp_socket.h"

namespace vitrine::vmm {
namespace {

using base::Json;
using Clock = std::chrono::steady_clock;

// More than one connection ever uses: answers to commands that were sent before it was
// resynchronized are told from those sent afterwards.
constexpr std::uint64_t kIdsOfTheInterrupted = 1u << 31;

base::Error refusal(std::string_view command, const Json& error) {
  const std::string kind = error.is_object() ? base::text_member(error, "class") : "";
  const std::string words = error.is_object() ? base::text_member(error, "desc") : "";
  const bool unknown = kind == "CommandNotFound";
  return {unknown ? base::Code::unsupported : base::Code::unreadable,
          fmt::format("QEMU refused the command {}: {}", command, words)};
}

std::string request_text(std::string_view command, std::string_view arguments, std::uint64_t id) {
  std::string request = fmt::format(R"({{"execute":"{}","id":{})", command, id);
  if (!arguments.empty()) request += fmt::format(R"(,"arguments":{})", arguments);
  return request += "}\n";
}

std::string monitor_arguments(std::string_view command) {
  return base::json_text(Json{{"command-line", command}});
}

// The plain text in the reply to human-monitor-command.
base::Result<std::string> monitor_text(base::Result<std::string> reply) {
  if (!reply) return reply;
  const Json text = base::parse_json(*reply);
  if (!text.is_string()) {
    return base::fail(base::Code::inconsistent, "QMP answered malformed JSON");
  }
  std::string lines = text.get<std::string>();
  std::erase(lines, '\r');
  return lines;
}

// sendmsg(2) with a descriptor beside the text, or without one where it is negative.
ssize_t send_once(int socket, std::string_view text, int descriptor) {
  iovec bytes{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (descriptor >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

// QEMU sends the answer to a command of a client that was killed to whoever is connected then; it
// must not be taken for the answer to a command of ours.
std::uint64_t first_id() { return std::uint64_t{std::random_device()()} << 20; }

}  // namespace

Qmp::Qmp(base::FileDescriptor socket, const QmpLimits& limits)
    : socket_(std::move(socket)),
      limits_(limits),
      framer_(limits.reply_bytes),
      last_id_(first_id()) {}

base::Result<Qmp> Qmp::open(const std::string& path, const QmpLimits& limits) {
  auto socket = connect(path, limits.greeting);
  if (!socket) return base::fail(socket.error());
  return adopt(std::move(*socket), limits);
}

base::Result<Qmp> Qmp::adopt(base::FileDescriptor socket, const QmpLimits& limits) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return base::fail_errno(errno, "fcntl", "cannot use the QMP socket");
  }
  Qmp qmp(std::move(socket), limits);
  if (auto done = qmp.negotiate(); !done) return base::fail(done.error());
  return qmp;
}

base::Result<void> Qmp::negotiate() {
  auto greeting = receive(Clock::now() + limits_.greeting);
  if (!greeting) {
    if (greeting.error().code != base::Code::timeout) return base::fail(greeting.error());
    return base::fail(base::Code::timeout,
                      "the QMP socket does not answer: another client, e.g. libvirt, holds it",
                      "disconnect that client, or give the VM a second -qmp socket");
  }
  const Json json = base::parse_json(*greeting);
  if (!json.is_object() || !json.contains("QMP")) {
    return base::fail(base::Code::inconsistent, "what answers is not QMP");
  }
  auto done = execute("qmp_capabilities");
  if (!done) return base::fail(done.error());
  return {};
}

base::Result<void> Qmp::wait(short events, Deadline deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return base::fail(base::Code::timeout, "QMP did not answer in time");
    pollfd poll{socket_.get(), events, 0};
    const int ready = ::poll(&poll, 1, static_cast<int>(std::min<long long>(left, INT_MAX)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) {
      return base::fail_errno(errno, "poll", "cannot wait for QMP");
    }
  }
}

base::Result<void> Qmp::send(std::string_view text, Deadline deadline, int descriptor) {
  while (!text.empty()) {
    const ssize_t sent = send_once(socket_.get(), text, descriptor);
    if (sent >= 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
      descriptor = -1;  // went along with the first bytes
    } else if (errno == EAGAIN) {
      if (auto ready = wait(POLLOUT, deadline); !ready) return ready;
    } else if (errno != EINTR) {
      return base::fail(base::Code::gone, "the VMM closed the QMP connection");
    }
  }
  return {};
}

base::Result<std::string> Qmp::receive(Deadline deadline) {
  std::array<char, 64 << 10> bytes;
  while (true) {
    auto object = framer_.next();
    if (!object) return base::fail(object.error());
    if (*object) return std::move(**object);
    if (auto ready = wait(POLLIN, deadline); !ready) return base::fail(ready.error());
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got > 0) {
      framer_.feed({bytes.data(), static_cast<std::size_t>(got)});
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      return base::fail(base::Code::gone, "the VMM closed the QMP connection");
    }
  }
}

// The reply to the command of that id, QEMU's refusals included; events are skipped. The error is
// of the connection itself.
base::Result<Qmp::Reply> Qmp::reply_to(std::uint64_t id, std::string_view command,
                                       Deadline deadline) {
  while (true) {
    auto text = receive(deadline);
    if (!text) return base::fail(text.error());
    const Json reply = base::parse_json(*text);
    if (!reply.is_object()) {
      return base::fail(base::Code::inconsistent, "QMP answered malformed JSON");
    }
    // A command QEMU cannot even parse is refused without an id, hence the second condition.
    const auto reply_id = reply.find("id");
    const bool ours = reply_id != reply.end() ? *reply_id == id : reply.contains("error");
    if (!ours) continue;  // an event
    const auto result = reply.find("return");
    // Guests can put any byte into names QEMU reports: what is not UTF-8 is replaced, not thrown
    // at.
    if (result != reply.end()) return Reply(base::json_text(*result));
    return Reply(base::fail(refusal(command, reply.value("error", Json::object()))));
  }
}

base::Result<std::string> Qmp::transact(std::string_view command, std::string_view arguments,
                                        Deadline deadline, int descriptor) {
  const std::uint64_t id = ++last_id_;
  // Until the reply is in: after a failure nobody knows where in the stream it would be.
  broken_ = true;
  auto sent = send(request_text(command, arguments, id), deadline, descriptor);
  if (!sent) return base::fail(sent.error());
  auto reply = reply_to(id, command, deadline);
  if (!reply) return base::fail(reply.error());
  broken_ = false;
  return std::move(*reply);
}

std::vector<base::Result<std::string>> Qmp::execute_all(std::span<const QmpCommand> commands) {
  std::vector<Reply> replies;
  replies.reserve(commands.size());
  if (broken_) {
    replies.assign(commands.size(),
                   base::fail(base::Code::gone, "the QMP connection failed before"));
    return replies;
  }
  broken_ = true;
  const std::uint64_t first = last_id_ + 1;
  last_id_ += commands.size();
  std::size_t sent = 0;
  while (replies.size() < commands.size()) {
    const Deadline deadline = Clock::now() + limits_.command;
    std::string requests;
    for (; sent < commands.size() && sent - replies.size() < kInFlight; ++sent)
      requests += request_text(commands[sent].command, commands[sent].arguments, first + sent);
    auto passed = send(requests, deadline);
    auto reply = passed
                     ? reply_to(first + replies.size(), commands[replies.size()].command, deadline)
                     : base::Result<Reply>(base::fail(passed.error()));
    if (!reply) {
      replies.resize(commands.size(), base::fail(reply.error()));
      return replies;
    }
    replies.push_back(std::move(*reply));
  }
  broken_ = false;
  return replies;
}

base::Result<std::string> Qmp::execute(std::string_view command, std::string_view arguments) {
  return execute(command, arguments, limits_.command);
}

base::Result<std::string> Qmp::execute(std::string_view command, std::string_view arguments,
                                       std::chrono::milliseconds limit) {
  if (broken_) return base::fail(base::Code::gone, "the QMP connection failed before");
  return transact(command, arguments, Clock::now() + limit);
}

base::Result<std::string> Qmp::execute_with(int descriptor, std::string_view command,
                                            std::string_view arguments) {
  if (broken_) return base::fail(base::Code::gone, "the QMP connection failed before");
  return transact(command, arguments, Clock::now() + limits_.command, descriptor);
}

base::Result<void> Qmp::resynchronize() {
  const Deadline deadline = Clock::now() + limits_.command;
  // The clock, since whoever was interrupted may have been a copy of this very object.
  const std::string id = fmt::format("resynchronize-{}", Clock::now().time_since_epoch().count());
  // 0xff is no JSON: QEMU drops what it had of a command and starts afresh after the line.
  auto sent =
      send(fmt::format("\xff\n{{\"execute\":\"query-version\",\"id\":\"{}\"}}\n", id), deadline);
  if (!sent) return sent;
  framer_ = JsonFramer(limits_.reply_bytes);
  if (auto skipped = skip_until(id, deadline); !skipped) return skipped;
  last_id_ += kIdsOfTheInterrupted;
  broken_ = false;
  return {};
}

// Skips what arrives up to the end of the line that holds `text`.
base::Result<void> Qmp::skip_until(std::string_view text, Deadline deadline) {
  std::string line;
  std::array<char, 4096> bytes;
  while (true) {
    if (auto ready = wait(POLLIN, deadline); !ready) return ready;
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
      return base::fail(base::Code::gone, "the VMM closed the QMP connection");
    for (ssize_t i = 0; i < got; ++i) {
      const char byte = bytes[static_cast<std::size_t>(i)];
      if (byte != '\n') {
        // A line that is longer than what is looked for cannot be the one: its beginning suffices.
        if (line.size() < 4096) line += byte;
      } else if (line.find(text) != std::string::npos) {
        framer_.feed({bytes.data() + i + 1, static_cast<std::size_t>(got - i - 1)});
        return {};
      } else {
        line.clear();
      }
    }
  }
}

base::Result<std::string> Qmp::human_monitor(std::string_view command) {
  return monitor_text(execute("human-monitor-command", monitor_arguments(command)));
}

std::vector<base::Result<std::string>> Qmp::human_monitor_all(
    std::span<const std::string> commands) {
  std::vector<QmpCommand> wrapped;
  wrapped.reserve(commands.size());
  for (const std::string& command : commands)
    wrapped.push_back({"human-monitor-command", monitor_arguments(command)});
  std::vector<Reply> texts = execute_all(wrapped);
  for (Reply& text : texts) text = monitor_text(std::move(text));
  return texts;
}

}  // namespace vitrine::vmm
