#include "vitrine/vmm/agent_intervention.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <thread>

#include "vitrine/base/base64.h"
#include "vitrine/base/json.h"

namespace vitrine::vmm {
namespace {

using base::Code;
using base::fail;
using base::Json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kAgentPatience{3};

std::optional<std::int64_t> whole_number(const Json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  return value.get<std::int64_t>();
}

// The number in what guest-file-open or guest-exec returned.
std::optional<std::int64_t> number_of(const Json& returned) {
  if (returned.is_object()) return whole_number(returned.value("pid", Json()));
  return whole_number(returned);
}

AgentCommand closing(std::int64_t handle) {
  return {"guest-file-close", fmt::format(R"({{"handle":{}}})", handle)};
}

AgentCommand status_of(std::int64_t pid) {
  return {"guest-exec-status", fmt::format(R"({{"pid":{}}})", pid)};
}

// Tells the guest kernel's refusals apart, which the agent passes on as text (strerror).
base::Error explained(base::Error error, std::string_view path) {
  const auto says = [&error](const char* words) {
    return error.message.find(words) != std::string::npos;
  };
  if (error.code != Code::unreadable) return error;
  if (says("No such file or directory"))
    return {Code::absent, fmt::format("the guest has no {}", path)};
  if (says("Permission denied") || says("Operation not permitted")) error.code = Code::denied;
  return error;
}

base::Result<AgentOutput> output_of(const Json& status) {
  if (status.value("out-truncated", Json(false)) == true)
    return fail(Code::unsupported, "a command in the guest wrote more than the guest agent keeps");
  AgentOutput output;
  const Json data = status.value("out-data", Json(""));
  auto written =
      data.is_string() ? base::decode_base64(data.get_ref<const std::string&>()) : std::nullopt;
  const auto code = whole_number(status.value("exitcode", Json(0)));
  const auto signal = whole_number(status.value("signal", Json(0)));
  if (!written || !code || !signal)
    return fail(Code::inconsistent, "the guest agent's answer to guest-exec-status is damaged");
  output.written = std::move(*written);
  output.status = static_cast<int>(*signal != 0 ? 128 + (*signal & 127) : (*code & 255));
  return output;
}

}  // namespace

// A noted step. The pointer means the same in the guardian, which is a copy of this process.
struct AgentIntervention::Noted {
  AgentIntervention* intervention = nullptr;
  std::int64_t number = 0;
  Kind kind = Kind::pending;
};

AgentIntervention::AgentIntervention(GuestAgent agent)
    : agent_(std::move(agent)), owner_(::getpid()) {}

base::Result<std::unique_ptr<AgentIntervention>> AgentIntervention::begin(GuestAgent agent) {
  std::unique_ptr<AgentIntervention> intervention(new AgentIntervention(std::move(agent)));
  const std::array<int, 1> kept{intervention->agent_.socket()};
  auto guardian = host::Guardian::start(kept);
  if (!guardian) return fail(guardian.error());
  intervention->guardian_ = std::move(*guardian);
  return intervention;
}

AgentIntervention::~AgentIntervention() {
  // What cannot be released now stays noted, and the guardian is the one to finish it.
  for (const auto& [what, noted] : noted_)
    if (!guardian_->run(noted, kAgentPatience)) break;
}

base::Result<std::size_t> AgentIntervention::note(Kind kind, std::int64_t number) {
  const Noted noted{this, number, kind};
  std::array<char, sizeof noted> text{};
  std::memcpy(text.data(), &noted, sizeof noted);
  return guardian_->note(&AgentIntervention::step, {text.data(), text.size()});
}

bool AgentIntervention::step(std::string_view argument) {
  Noted noted;
  std::memcpy(&noted, argument.data(), sizeof noted);
  AgentIntervention& self = *noted.intervention;
  if (!self.take_over()) return false;
  return noted.kind == Kind::pending || self.release(noted.kind, noted.number);
}

// Makes the connection usable, whatever it was used for when its owner died or a command failed,
// and releases what was being opened then.
bool AgentIntervention::take_over() {
  if (owner_ != ::getpid() || agent_.broken()) {
    auto answers = agent_.resynchronize();
    // A guest that is gone keeps nothing open.
    if (!answers) return answers.error().code == Code::gone;
    owner_ = ::getpid();
    for (const std::string& answer : *answers) find_begun(answer);
  }
  std::erase_if(begun_, [this](const Begun& begun) {
    const bool released = release(begun.kind, begun.number);
    if (released && begun.noted) guardian_->forget(*begun.noted);
    return released;
  });
  return begun_.empty();
}

void AgentIntervention::find_begun(std::string_view answer) {
  const Json json = base::parse_json(answer);
  if (!json.is_object()) return;
  const Json returned = json.value("return", Json());
  const auto number = number_of(returned);
  if (!number) return;
  Begun begun{returned.is_object() ? Kind::program : Kind::file, *number};
  // The answer is taken: from here on only a note tells the guardian.
  if (guardian_ != nullptr) {
    if (auto noted = note(begun.kind, begun.number)) begun.noted = *noted;
  }
  begun_.push_back(begun);
}

// True where nothing is left: a number that the agent does not know is as good as released.
bool AgentIntervention::release(Kind kind, std::int64_t number) {
  const auto answer = agent_.execute(kind == Kind::file ? closing(number) : status_of(number));
  if (!answer) return !agent_.broken() || answer.error().code == Code::gone;
  // The agent forgets a program once it has told that it ended.
  if (kind == Kind::file) return true;
  const Json status = base::parse_json(*answer);
  return !status.is_object() || status.value("exited", Json(true)) != false;
}

// Executes what begins something in the guest, and notes it before its answer is taken.
base::Result<std::int64_t> AgentIntervention::begin_in_guest(const AgentCommand& command,
                                                             Kind kind) {
  auto pending = note(Kind::pending, 0);
  if (!pending) return fail(pending.error());
  std::optional<std::int64_t> number;
  const auto keep = [&](const base::Result<std::string>& answer) -> base::Result<void> {
    if (!answer) return {};
    number = number_of(base::parse_json(*answer));
    if (!number)
      return fail(Code::inconsistent,
                  fmt::format("the guest agent's answer to {} is damaged", command.name));
    auto noted = note(kind, *number);
    if (!noted) return fail(noted.error());
    noted_[{kind, *number}] = *noted;
    return {};
  };
  auto done = agent_.execute_keeping(command, keep);
  if (agent_.broken())
    noted_[{Kind::pending, 0}] = *pending;
  else
    guardian_->forget(*pending);
  if (!done) return fail(done.error());
  return *number;
}

base::Result<void> AgentIntervention::undo(Kind kind, std::int64_t number) {
  const auto found = noted_.find({kind, number});
  if (found == noted_.end()) return {};
  const std::size_t noted = found->second;
  noted_.erase(found);
  return guardian_->run(noted, kAgentPatience);
}

base::Result<std::int64_t> AgentIntervention::open(std::string_view path) {
  auto handle =
      begin_in_guest({"guest-file-open", Json{{"path", path}, {"mode", "r"}}.dump()}, Kind::file);
  if (!handle) return fail(explained(handle.error(), path));
  return handle;
}

base::Result<void> AgentIntervention::close(std::int64_t handle) {
  return undo(Kind::file, handle);
}

base::Result<AgentOutput> AgentIntervention::run(std::string_view path,
                                                 std::span<const std::string> arguments,
                                                 std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  const Json request{{"path", path},
                     {"arg", std::vector<std::string>(arguments.begin(), arguments.end())},
                     {"capture-output", true}};
  auto pid = begin_in_guest({"guest-exec", request.dump()}, Kind::program);
  if (!pid) return fail(explained(pid.error(), path));
  std::chrono::milliseconds pause{5};
  while (true) {
    auto answer = agent_.execute(status_of(*pid));
    if (!answer) return fail(answer.error());
    const Json status = base::parse_json(*answer);
    if (!status.is_object())
      return fail(Code::inconsistent, "the guest agent's answer to guest-exec-status is damaged");
    if (status.value("exited", Json(true)) != false) {
      const auto found = noted_.find({Kind::program, *pid});
      guardian_->forget(found->second);
      noted_.erase(found);
      return output_of(status);
    }
    if (Clock::now() >= deadline)
      return fail(Code::timeout, fmt::format("{} in the guest did not end in time", path));
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(100));
  }
}

}  // namespace vitrine::vmm
