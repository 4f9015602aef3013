#include "vitrine/vmm/agent_commands.h"

#include <gmock/gmock.h>

#include <array>

#include "vitrine/vmm/testing/fake_agent.h"

namespace vitrine::vmm {
namespace {

using base::Code;
using base::Json;
using ::testing::AllOf;
using testing::FakeAgent;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::array<std::string_view, 2> kNeeded{"guest-file-open", "guest-file-close"};

base::Result<void> ask(const Json& info) {
  FakeAgent fake(FakeAgent::replying([&info](const Json&) { return info; }));
  auto agent = GuestAgent::adopt(
      fake.client(), {std::chrono::seconds(5), std::chrono::seconds(5), std::size_t{1} << 16});
  EXPECT_TRUE(agent);
  return require_commands(*agent, kNeeded);
}

Json with(bool open, bool close) {
  return {{"version", "7.2"},
          {"supported_commands",
           {{{"name", "guest-file-open"}, {"enabled", open}},
            {{"name", "guest-file-close"}, {"enabled", close}},
            {{"name", "guest-exec"}, {"enabled", false}}}}};
}

TEST(AgentCommands, AreAllowedOrNamedWithTheRemedy) {
  EXPECT_TRUE(ask(with(true, true)));
  const auto one = ask(with(true, false));
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error().code, Code::unsupported);
  EXPECT_THAT(one.error().message,
              AllOf(HasSubstr("forbidden to serve guest-file-close"), Not(HasSubstr("open"))));
  EXPECT_THAT(one.error().remedy, HasSubstr("block-rpcs"));
  EXPECT_THAT(ask(with(false, false)).error().message,
              HasSubstr("guest-file-open, guest-file-close"));
}

TEST(AgentCommands, AnAgentThatDoesNotKnowThemIsTooOld) {
  const auto old =
      ask({{"supported_commands", {{{"name", "guest-file-open"}, {"enabled", true}}}}});
  ASSERT_FALSE(old);
  EXPECT_THAT(old.error().message, HasSubstr("does not know guest-file-close"));
  EXPECT_THAT(old.error().remedy, HasSubstr("update"));
}

TEST(AgentCommands, ADamagedAnswerIsAnError) {
  for (const Json& info :
       {Json(1), Json::object(), Json{{"supported_commands", 7}},
        Json{{"supported_commands", {{{"name", 7}}}}}, Json{{"supported_commands", {1, "x"}}}})
    EXPECT_EQ(ask(info).error().code, Code::inconsistent) << info;
}

}  // namespace
}  // namespace vitrine::vmm
