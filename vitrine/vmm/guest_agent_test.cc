#include "vitrine/vmm/guest_agent.h"

#include <gmock/gmock.h>

#include "vitrine/vmm/testing/fake_agent.h"

namespace vitrine::vmm {
namespace {

using base::Code;
using base::Json;
using ::testing::ElementsAre;
using testing::FakeAgent;
using ::testing::HasSubstr;

const AgentLimits kShortAgent{std::chrono::milliseconds(50), std::chrono::milliseconds(50),
                              1 << 16};
const AgentLimits kPatientAgent{std::chrono::seconds(5), std::chrono::seconds(5), 1 << 16};

FakeAgent::Answer saying(const std::string& text) {
  return FakeAgent::synchronizing([text](const Json&, const FakeAgent::Send& send) {
    send(text);
    return true;
  });
}

TEST(GuestAgent, ReturnsWhatACommandReturns) {
  FakeAgent fake(FakeAgent::replying([](const Json& request) { return request["arguments"]; }));
  auto agent = GuestAgent::adopt(fake.client(), kPatientAgent);
  ASSERT_TRUE(agent);
  EXPECT_EQ(*agent->execute({"x", R"({"a":[1]})"}), R"({"a":[1]})");
}

TEST(GuestAgent, SkipsWhatFormerClientsAskedFor) {
  FakeAgent fake([](const Json& request, const FakeAgent::Send& send) {
    send("alf\"}}\n" + FakeAgent::returned(1000) + "\xff" + FakeAgent::returned(1) +
         FakeAgent::refused("JSON parse error") + "cut\xff" +
         FakeAgent::returned(request["arguments"]["id"]));
    return true;
  });
  EXPECT_TRUE(GuestAgent::adopt(fake.client(), kPatientAgent));
}

TEST(GuestAgent, ResynchronizingReturnsTheAnswersThatWereUnderWay) {
  int requests = 0;
  FakeAgent fake([&requests](const Json& request, const FakeAgent::Send& send) {
    if (requests++ > 0) send("rest\"}}\n" + FakeAgent::returned(1001));
    send("\xff" + FakeAgent::returned(request["arguments"]["id"]));
    return true;
  });
  auto agent = GuestAgent::adopt(fake.client(), kPatientAgent);
  ASSERT_TRUE(agent);
  auto former = agent->resynchronize();
  ASSERT_TRUE(former);
  EXPECT_THAT(*former, ElementsAre("rest\"}}", R"({"return":1001})"));
}

TEST(GuestAgent, OneThatHangsTimesOutWhereverItHangs) {
  FakeAgent silent([](const Json&, const FakeAgent::Send&) { return true; });
  const auto none = GuestAgent::adopt(silent.client(), kShortAgent);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::timeout);
  EXPECT_THAT(none.error().remedy, HasSubstr("qemu-guest-agent"));
  for (const char* begun : {"", "{\"return\":"}) {
    FakeAgent fake(saying(begun));
    auto agent = GuestAgent::adopt(fake.client(), kShortAgent);
    ASSERT_TRUE(agent);
    EXPECT_EQ(agent->execute({"x", ""}).error().code, Code::timeout);
    EXPECT_EQ(agent->execute({"x", ""}).error().code, Code::gone) << "until it is resynchronized";
    EXPECT_TRUE(agent->broken());
    EXPECT_TRUE(agent->resynchronize());
    EXPECT_FALSE(agent->broken());
  }
}

TEST(GuestAgent, AnEndlessStreamOfAnswersEndsInTime) {
  FakeAgent fake([](const Json&, const FakeAgent::Send& send) {
    for (int i = 0; i < 100000; ++i) send(FakeAgent::returned(i));
    return true;
  });
  EXPECT_EQ(GuestAgent::adopt(fake.client(), kShortAgent).error().code, Code::timeout);
}

TEST(GuestAgent, WhatIsNoAnswerIsRefused) {
  for (const char* text : {"[]\n", "{\"hello\":1}\n", "\x01\x02\n", "{\"error\":1}\n", "7\n",
                           "\xff{\"return\":1}\n"}) {
    FakeAgent fake(saying(text));
    auto agent = GuestAgent::adopt(fake.client(), kPatientAgent);
    ASSERT_TRUE(agent);
    EXPECT_EQ(agent->execute({"x", ""}).error().code, Code::inconsistent) << text;
  }
}

TEST(GuestAgent, AnAnswerThatIsNestedTooDeeplyIsRefused) {
  const std::string brackets(10000, '[');
  for (const std::string& text :
       {brackets, "{\"return\": " + brackets + std::string(10000, ']') + "}"})
    EXPECT_EQ(parse_agent_answer("x", text).error().code, Code::inconsistent);
  EXPECT_TRUE(parse_agent_answer("x", "{\"return\": \"" + brackets + "\\\"[\"}"));
}

TEST(GuestAgent, ReturnsTheTextOfWhatAgentsWrite) {
  EXPECT_EQ(parse_agent_answer("x", R"({"return": {"count": 1}})"), R"({"count": 1})");
  EXPECT_EQ(parse_agent_answer("x", R"({"return":{"count":1}})"), R"({"count":1})");
  EXPECT_EQ(parse_agent_answer("x", R"({"id": 1, "return": 7})"), "7");
}

TEST(GuestAgent, AnAnswerThatIsTooLongIsRefused) {
  FakeAgent fake(saying(std::string(1 << 17, 'a')));
  auto agent = GuestAgent::adopt(fake.client(), kPatientAgent);
  ASSERT_TRUE(agent);
  EXPECT_EQ(agent->execute({"x", ""}).error().code, Code::unsupported);
}

TEST(GuestAgent, ARefusalSaysWhetherTheCommandIsForbiddenOrUnknown) {
  FakeAgent fake(FakeAgent::synchronizing([](const Json& request, const FakeAgent::Send& send) {
    const std::string command = request["execute"];
    if (command == "forbidden")
      send(FakeAgent::refused("Command forbidden has been disabled: the command is not allowed",
                              "CommandNotFound"));
    else if (command == "unknown")
      send(FakeAgent::refused("The command unknown has not been found", "CommandNotFound"));
    else
      send(FakeAgent::refused("failed to open file"));
    return true;
  }));
  auto agent = GuestAgent::adopt(fake.client(), kPatientAgent);
  ASSERT_TRUE(agent);
  const auto forbidden = agent->execute({"forbidden", ""});
  EXPECT_EQ(forbidden.error().code, Code::unsupported);
  EXPECT_THAT(forbidden.error().message, HasSubstr("is forbidden the command forbidden"));
  EXPECT_THAT(forbidden.error().remedy, HasSubstr("block-rpcs"));
  const auto unknown = agent->execute({"unknown", ""});
  EXPECT_EQ(unknown.error().code, Code::unsupported);
  EXPECT_THAT(unknown.error().message, HasSubstr("does not know the command unknown"));
  const auto other = agent->execute({"other", ""});
  EXPECT_EQ(other.error().code, Code::unreadable);
  EXPECT_THAT(other.error().message, HasSubstr("failed to open file"));
}

TEST(GuestAgent, ManyCommandsAreAnsweredInOrder) {
  FakeAgent fake(
      FakeAgent::replying([](const Json& request) { return request["arguments"]["n"]; }));
  auto agent = GuestAgent::adopt(fake.client(), kPatientAgent);
  ASSERT_TRUE(agent);
  std::vector<AgentCommand> commands;
  for (int i = 0; i < 500; ++i) commands.push_back({"x", Json{{"n", i}}.dump()});
  std::vector<std::string> answers;
  ASSERT_TRUE(agent->execute_all(commands, [&](std::size_t index, base::Result<std::string> one) {
    EXPECT_EQ(index, answers.size());
    answers.push_back(one.value_or("error"));
  }));
  ASSERT_EQ(answers.size(), 500u);
  EXPECT_EQ(answers.back(), "499");
}

TEST(GuestAgent, OneRefusalAmongManyIsNoEnd) {
  FakeAgent fake(FakeAgent::synchronizing([](const Json& request, const FakeAgent::Send& send) {
    send(request["execute"] == "bad" ? FakeAgent::refused("no") : FakeAgent::returned(1));
    return true;
  }));
  auto agent = GuestAgent::adopt(fake.client(), kPatientAgent);
  ASSERT_TRUE(agent);
  const std::vector<AgentCommand> commands{{"good", ""}, {"bad", ""}, {"good", ""}};
  std::vector<bool> answers;
  ASSERT_TRUE(agent->execute_all(commands, [&](std::size_t, base::Result<std::string> one) {
    answers.push_back(one.has_value());
  }));
  EXPECT_THAT(answers, ElementsAre(true, false, true));
}

TEST(GuestAgent, AnAnswerIsKeptBeforeItIsTaken) {
  FakeAgent fake(FakeAgent::replying([](const Json&) { return 1000; }));
  auto agent = GuestAgent::adopt(fake.client(), kPatientAgent);
  ASSERT_TRUE(agent);
  std::string kept;
  std::string still_there(64, '\0');
  ASSERT_TRUE(agent->execute_keeping({"x", ""}, [&](const base::Result<std::string>& answer) {
    kept = answer.value_or("error");
    const ssize_t size = ::recv(agent->socket(), still_there.data(), still_there.size(), MSG_PEEK);
    still_there.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return base::Result<void>{};
  }));
  EXPECT_EQ(kept, "1000");
  EXPECT_EQ(still_there, FakeAgent::returned(1000));
  EXPECT_EQ(*agent->execute({"x", ""}), "1000") << "and the connection is usable";
}

TEST(GuestAgent, AVmmThatClosesIsGone) {
  FakeAgent fake(
      FakeAgent::synchronizing([](const Json&, const FakeAgent::Send&) { return false; }));
  auto agent = GuestAgent::adopt(fake.client(), kPatientAgent);
  ASSERT_TRUE(agent);
  EXPECT_EQ(agent->execute({"x", ""}).error().code, Code::gone);
}

}  // namespace
}  // namespace vitrine::vmm
