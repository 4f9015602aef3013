#include "vitrine/vmm/guest_agent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <random>
#include <thread>

#include "vitrine/base/json.h"

namespace vitrine::vmm {
namespace {

using base::Code;
using base::fail;
using base::Json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kUnanswered = 32;  // commands sent ahead of their answers

std::string request_of(const AgentCommand& command) {
  std::string text = fmt::format(R"({{"execute":"{}")", command.name);
  if (!command.arguments.empty()) text += R"(,"arguments":)" + command.arguments;
  return text + "}\n";
}

base::Error silence() {
  return {Code::timeout, "the guest agent does not answer",
          "check in the guest that qemu-guest-agent is installed and runs"};
}

base::Error closed() { return {Code::gone, "the VMM closed the connection to the guest agent"}; }

base::Error no_answer(std::string_view command) {
  return {Code::inconsistent,
          fmt::format("what answers {} is no guest agent, or it is damaged", command)};
}

bool is_answer(const std::string& line, std::int64_t id) {
  constexpr std::size_t kLongest = 256;
  if (line.size() > kLongest) return false;
  const Json answer = base::parse_json(line);
  return answer.is_object() && answer.contains("return") && answer["return"].is_number_integer() &&
         answer["return"] == id;
}

// A number that no answer to an earlier client carries.
std::int64_t fresh_id() {
  std::random_device random;
  return static_cast<std::int64_t>(random() & 0x7fffffff);
}

// Whether parsed text would need a deep stack: a guest may nest as many brackets as fit.
bool nested_deeply(std::string_view text) {
  constexpr std::size_t kDeepest = 16;  // guest-info needs 4
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') in_string = !in_string;
    if (c == '\\') ++i;
    if (in_string) continue;
    if ((c == '{' || c == '[') && ++depth > kDeepest) return true;
    if ((c == '}' || c == ']') && depth > 0) --depth;
  }
  return false;
}

}  // namespace

base::Result<std::string> parse_agent_answer(std::string_view command, std::string_view line) {
  if (nested_deeply(line)) return fail(no_answer(command));
  // As agents write it: large answers are not parsed twice.
  constexpr std::string_view kReturned = "{\"return\": ";
  if (line.starts_with(kReturned) && line.ends_with('}'))
    return std::string(line.substr(kReturned.size(), line.size() - kReturned.size() - 1));
  const Json answer = base::parse_json(line);
  if (!answer.is_object()) return fail(no_answer(command));
  if (const auto result = answer.find("return"); result != answer.end())
    return base::json_text(*result);
  const auto error = answer.find("error");
  if (error == answer.end() || !error->is_object()) return fail(no_answer(command));
  const std::string words = base::text_member(*error, "desc");
  const std::string kind = base::text_member(*error, "class");
  // A forbidden command has the same class as an unknown one (qapi/qmp-dispatch.c).
  const bool forbidden = words.find("has been disabled") != std::string::npos;
  if (kind == "CommandNotFound" && !forbidden)
    return fail(Code::unsupported,
                fmt::format("the guest agent does not know the command {}", command),
                "update qemu-guest-agent in the guest");
  if (forbidden)
    return fail(Code::unsupported,
                fmt::format("the guest agent is forbidden the command {}: {}", command, words),
                "allow it in the guest: take it out of block-rpcs (blacklist) or add it to "
                "allow-rpcs of qemu-ga, and start the agent again");
  return fail(Code::unreadable,
              fmt::format("the guest agent refused the command {}: {}", command, words));
}

GuestAgent::GuestAgent(base::FileDescriptor socket, const AgentLimits& limits)
    : socket_(std::move(socket)), limits_(limits), lines_(limits.answer_bytes) {}

base::Result<GuestAgent> GuestAgent::adopt(base::FileDescriptor socket, const AgentLimits& limits) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    return base::fail_errno(errno, "fcntl", "cannot use the guest agent's socket");
  GuestAgent agent(std::move(socket), limits);
  auto synchronized = agent.resynchronize();
  if (!synchronized) return fail(synchronized.error());
  return agent;
}

base::Result<void> GuestAgent::wait(short events, Deadline deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return fail(silence());
    pollfd poll{socket_.get(), events, 0};
    const int ready = ::poll(&poll, 1, static_cast<int>(std::min<long long>(left, INT_MAX)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR)
      return base::fail_errno(errno, "poll", "cannot wait for the guest agent");
  }
}

// Sends what the socket takes without waiting; false where it takes nothing now.
base::Result<bool> GuestAgent::send_some(std::string_view& text) {
  const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return fail(closed());
  if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
  return sent > 0;
}

base::Result<void> GuestAgent::send(std::string_view text, Deadline deadline) {
  while (!text.empty()) {
    auto sent = send_some(text);
    if (!sent) return fail(sent.error());
    if (*sent) continue;
    if (auto ready = wait(POLLOUT, deadline); !ready) return ready;
  }
  return {};
}

// Takes in what has arrived; false where nothing has.
base::Result<bool> GuestAgent::receive_some() {
  std::array<char, 64 << 10> bytes;
  const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return fail(closed());
  if (got > 0) lines_.feed({bytes.data(), static_cast<std::size_t>(got)});
  return got > 0;
}

base::Result<AgentLine> GuestAgent::receive(Deadline deadline) {
  while (true) {
    auto line = lines_.next();
    if (!line) return fail(line.error());
    if (*line) return std::move(**line);
    if (auto ready = wait(POLLIN, deadline); !ready) return fail(ready.error());
    if (auto received = receive_some(); !received) return fail(received.error());
  }
}

base::Result<std::vector<std::string>> GuestAgent::resynchronize() {
  const auto deadline = Clock::now() + limits_.greeting;
  broken_ = true;
  const std::int64_t id = fresh_id();
  // The byte makes the agent forget a command that a former client left half sent.
  const std::string request =
      "\xff" + request_of({"guest-sync-delimited", fmt::format(R"({{"id":{}}})", id)});
  if (auto sent = send(request, deadline); !sent) return fail(sent.error());
  std::vector<std::string> former;
  while (true) {
    auto line = receive(deadline);
    if (!line && line.error().code == Code::unsupported) continue;  // too long to be ours
    if (!line) return fail(line.error());
    if (line->marked && is_answer(line->text, id)) break;
    // Whoever floods us with answers gets no more memory than this.
    constexpr std::size_t kMostFormer = 1000;
    constexpr std::size_t kLongestFormer = 4096;
    if (!line->marked && former.size() < kMostFormer && line->text.size() < kLongestFormer)
      former.push_back(std::move(line->text));
  }
  broken_ = false;
  return former;
}

base::Result<std::string> GuestAgent::execute(const AgentCommand& command) {
  base::Result<std::string> result = fail(silence());
  auto done = execute_all(
      std::span(&command, 1),
      [&result](std::size_t, base::Result<std::string> answer) { result = std::move(answer); });
  if (!done) return fail(done.error());
  return result;
}

base::Result<void> GuestAgent::execute_all(std::span<const AgentCommand> commands,
                                           const Answered& answered) {
  if (broken_) return fail(Code::gone, "the connection to the guest agent failed before");
  broken_ = true;  // until all answers are in
  std::size_t requested = 0;
  std::string text;
  std::string_view unsent;
  for (std::size_t next = 0; next < commands.size();) {
    const auto limit = deadline();
    base::Result<std::optional<AgentLine>> line = lines_.next();
    while (line && !*line) {
      if (unsent.empty() && requested < commands.size() && requested < next + kUnanswered) {
        text.clear();
        while (requested < commands.size() && requested < next + kUnanswered)
          text += request_of(commands[requested++]);
        unsent = text;
      }
      if (!unsent.empty()) {
        if (auto sent = send_some(unsent); !sent) return fail(sent.error());
      }
      const short events = static_cast<short>(unsent.empty() ? POLLIN : POLLIN | POLLOUT);
      if (auto ready = wait(events, limit); !ready) return ready;
      if (auto received = receive_some(); !received) return fail(received.error());
      line = lines_.next();
    }
    if (!line) return fail(line.error());
    auto answer = parse_agent_answer(commands[next].name, (*line)->text);
    if ((*line)->marked) answer = fail(no_answer(commands[next].name));
    if (!answer && answer.error().code == Code::inconsistent) return fail(answer.error());
    answered(next++, std::move(answer));
  }
  broken_ = false;
  return {};
}

base::Result<std::string> GuestAgent::peek_line(Deadline deadline) {
  std::array<char, 4096> bytes;
  while (true) {
    if (auto ready = wait(POLLIN, deadline); !ready) return fail(ready.error());
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_PEEK);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return fail(closed());
    const std::string_view seen(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    const auto end = seen.find('\n');
    if (end != std::string_view::npos) return std::string(seen.substr(0, end + 1));
    if (seen.size() == bytes.size())
      return fail(Code::inconsistent, "the guest agent's answer is longer than it can be");
    // The rest is under way; a poll would return at once.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

base::Result<void> GuestAgent::execute_keeping(const AgentCommand& command, const Keep& keep) {
  if (broken_) return fail(Code::gone, "the connection to the guest agent failed before");
  broken_ = true;
  if (!lines_.empty()) return fail(no_answer(command.name));
  const auto limit = deadline();
  if (auto sent = send(request_of(command), limit); !sent) return sent;
  auto line = peek_line(limit);
  if (!line) return fail(line.error());
  const auto answer = parse_agent_answer(command.name, *line);
  if (!answer && answer.error().code == Code::inconsistent) return fail(answer.error());
  auto kept = keep(answer);
  if (auto received = receive_some(); !received) return fail(received.error());
  auto taken = lines_.next();
  if (!taken || !*taken || (*taken)->marked) return fail(no_answer(command.name));
  broken_ = false;
  if (!kept) return kept;
  if (!answer) return fail(answer.error());
  return {};
}

}  // namespace vitrine::vmm
