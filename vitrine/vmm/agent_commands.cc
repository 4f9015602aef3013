#include "vitrine/vmm/agent_commands.h"

#include <map>
#include <string>

#include "vitrine/base/json.h"

namespace vitrine::vmm {
namespace {

using base::Code;
using base::fail;
using base::Json;

void add(std::string& list, std::string_view name) {
  list += (list.empty() ? "" : ", ") + std::string(name);
}

// Whether each known command is enabled; empty where the answer is damaged.
std::map<std::string, bool> commands_of(const Json& info) {
  std::map<std::string, bool> enabled;
  if (!info.is_object()) return enabled;
  const Json list = info.value("supported_commands", Json::array());
  for (const Json& command : list) {
    if (!command.is_object()) continue;
    const Json name = command.value("name", Json());
    if (name.is_string()) enabled[name] = command.value("enabled", Json(false)) == true;
  }
  return enabled;
}

}  // namespace

base::Result<void> require_commands(GuestAgent& agent, std::span<const std::string_view> names) {
  auto text = agent.execute({"guest-info", ""});
  if (!text) return fail(text.error());
  const auto enabled = commands_of(base::parse_json(*text));
  if (enabled.empty())
    return fail(Code::inconsistent, "the guest agent's answer to guest-info is damaged");
  std::string forbidden;
  std::string unknown;
  for (const std::string_view name : names) {
    const auto found = enabled.find(std::string(name));
    if (found == enabled.end())
      add(unknown, name);
    else if (!found->second)
      add(forbidden, name);
  }
  if (!forbidden.empty())
    return fail(Code::unsupported, "the guest agent is forbidden to serve " + forbidden,
                "allow it in the guest: take these commands out of block-rpcs (blacklist) in "
                "/etc/qemu/qemu-ga.conf or the options of qemu-ga, or add them to allow-rpcs, and "
                "start the agent again");
  if (!unknown.empty())
    return fail(Code::unsupported, "the guest agent does not know " + unknown,
                "update qemu-guest-agent in the guest");
  return {};
}

}  // namespace vitrine::vmm
