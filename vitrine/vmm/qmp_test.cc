#include "vitrine/vmm/qmp.h"

#include <gmock/gmock.h>

#include <atomic>

#include "vitrine/vmm/testing/fake_qmp.h"

namespace vitrine::vmm {
namespace {

using base::Json;
using testing::FakeQmp;
using ::testing::HasSubstr;

const QmpLimits kShortQmp{std::chrono::milliseconds(50), std::chrono::milliseconds(50), 1 << 16};
const QmpLimits kPatientQmp{std::chrono::seconds(5), std::chrono::seconds(5), 1 << 16};

// Answers the set-up as it should and leaves the rest to `answer`.
FakeQmp::Answer after_setup(FakeQmp::Answer answer) {
  return [answer = std::move(answer)](const Json& request, const FakeQmp::Send& send) {
    if (request["execute"] != "qmp_capabilities") return answer(request, send);
    send(R"({"return":{},"id":)" + request["id"].dump() + "}\r\n");
    return true;
  };
}

TEST(Qmp, ReturnsWhatACommandReturns) {
  FakeQmp server([](const Json& request) { return request["arguments"].dump(); });
  auto qmp = Qmp::adopt(server.client(), kPatientQmp);
  ASSERT_TRUE(qmp);
  EXPECT_EQ(*qmp->execute("x", R"({"a":[1]})"), R"({"a":[1]})");
}

TEST(Qmp, ASocketThatNeverGreetsIsHeldByAnotherClient) {
  FakeQmp server("", [](const Json&, const FakeQmp::Send&) { return true; });
  const auto qmp = Qmp::adopt(server.client(), kShortQmp);
  ASSERT_FALSE(qmp);
  EXPECT_EQ(qmp.error().code, base::Code::timeout);
  EXPECT_THAT(qmp.error().message, HasSubstr("another client, e.g. libvirt, holds it"));
}

TEST(Qmp, WhatIsNotQmpIsRefused) {
  for (const char* greeting : {"SSH-2.0-OpenSSH\r\n", "{\"hello\":1}\r\n", "{]}\r\n", "[]\r\n"}) {
    FakeQmp server(greeting, [](const Json&, const FakeQmp::Send&) { return true; });
    const auto qmp = Qmp::adopt(server.client(), kPatientQmp);
    ASSERT_FALSE(qmp) << greeting;
    EXPECT_EQ(qmp.error().code, base::Code::inconsistent) << greeting;
  }
}

TEST(Qmp, SkipsEventsAndStaleRepliesAndJoinsSplitPackets) {
  FakeQmp server(
      FakeQmp::kGreeting, after_setup([](const Json& request, const FakeQmp::Send& send) {
        send("{\"event\":\"STOP\",\"data\":{\"return\":1}}\r\n{\"return\":\"stale\",\"id\":0}");
        const std::string id = request["id"].dump();
        for (const char c : "{\r\n  \"return\": \"a}\\\"{\",\r\n  \"id\": " + id + "\r\n}\r\n") {
          send(std::string(1, c));
        }
        return true;
      }));
  auto qmp = Qmp::adopt(server.client(), kPatientQmp);
  ASSERT_TRUE(qmp);
  EXPECT_EQ(*qmp->execute("x"), "\"a}\\\"{\"");
  EXPECT_EQ(*qmp->execute("x"), "\"a}\\\"{\"") << "and again";
}

// QEMU gives whoever is connected the answers to commands of one that was killed, who counted its
// commands, too.
TEST(Qmp, TakesNoAnswerToACommandOfTheClientBefore) {
  FakeQmp server(FakeQmp::kGreeting,
                 after_setup([](const Json& request, const FakeQmp::Send& send) {
                   for (int id = 0; id < 100; ++id)
                     send("{\"return\":\"another's\",\"id\":" + std::to_string(id) + "}\r\n");
                   send("{\"return\":\"ours\",\"id\":" + request["id"].dump() + "}\r\n");
                   return true;
                 }));
  auto qmp = Qmp::adopt(server.client(), kPatientQmp);
  ASSERT_TRUE(qmp);
  EXPECT_EQ(*qmp->execute("x"), "\"ours\"");
}

TEST(Qmp, ARefusalCarriesQemusWordsAndLeavesTheConnectionUsable) {
  FakeQmp server(
      FakeQmp::kGreeting, after_setup([](const Json& request, const FakeQmp::Send& send) {
        const std::string kind = request["execute"] == "new" ? "CommandNotFound" : "GenericError";
        send(R"({"id":)" + request["id"].dump() + R"(,"error":{"class":")" + kind +
             R"(","desc":"no such thing"}})" + "\r\n");
        return true;
      }));
  auto qmp = Qmp::adopt(server.client(), kPatientQmp);
  ASSERT_TRUE(qmp);
  EXPECT_EQ(qmp->execute("new").error().code, base::Code::unsupported);
  const auto refused = qmp->execute("old");
  EXPECT_EQ(refused.error().code, base::Code::unreadable);
  EXPECT_THAT(refused.error().message, HasSubstr("no such thing"));
}

TEST(Qmp, ACommandThatIsNotAnsweredTimesOutAndEndsTheConnection) {
  FakeQmp server(FakeQmp::kGreeting,
                 after_setup([](const Json&, const FakeQmp::Send&) { return true; }));
  auto qmp = Qmp::adopt(server.client(), kPatientQmp);
  ASSERT_TRUE(qmp);
  const auto reply = qmp->execute("slow", {}, std::chrono::milliseconds(20));
  EXPECT_EQ(reply.error().code, base::Code::timeout);
  EXPECT_EQ(qmp->execute("next").error().code, base::Code::gone);
}

TEST(Qmp, AnOversizeReplyIsRefused) {
  FakeQmp server(FakeQmp::kGreeting, after_setup([](const Json&, const FakeQmp::Send& send) {
                   send(R"({"return":")" + std::string(200000, 'x'));
                   return true;
                 }));
  auto qmp = Qmp::adopt(server.client(), kPatientQmp);
  ASSERT_TRUE(qmp);
  EXPECT_EQ(qmp->execute("x").error().code, base::Code::unsupported);
  EXPECT_EQ(qmp->execute("next").error().code, base::Code::gone);
}

TEST(Qmp, AVmmThatClosesInTheMiddleIsGone) {
  FakeQmp server(FakeQmp::kGreeting, after_setup([](const Json&, const FakeQmp::Send& send) {
                   send("{\"return\":");
                   return false;
                 }));
  auto qmp = Qmp::adopt(server.client(), kPatientQmp);
  ASSERT_TRUE(qmp);
  EXPECT_EQ(qmp->execute("x").error().code, base::Code::gone);
}

TEST(Qmp, SeveralCommandsAreAnsweredInOrderEachWithItsOwnRefusal) {
  FakeQmp server(FakeQmp::kGreeting,
                 after_setup([](const Json& request, const FakeQmp::Send& send) {
                   const std::string id = request["id"].dump();
                   send("{\"event\":\"RESUME\"}\r\n");
                   if (request["execute"] == "bad") {
                     send(R"({"error":{"class":"GenericError","desc":"no"},"id":)" + id + "}\r\n");
                   } else {
                     send("{\"return\":" + request.value("arguments", Json::object()).dump() +
                          ",\"id\":" + id + "}\r\n");
                   }
                   return true;
                 }));
  auto qmp = Qmp::adopt(server.client(), kPatientQmp);
  ASSERT_TRUE(qmp);
  std::vector<QmpCommand> commands;
  for (int i = 0; i < 50; ++i)
    commands.push_back({i == 20 ? "bad" : "good", "{\"i\":" + std::to_string(i) + "}"});
  const auto replies = qmp->execute_all(commands);
  ASSERT_EQ(replies.size(), commands.size());
  for (std::size_t i = 0; i < replies.size(); ++i) {
    ASSERT_EQ(replies[i].has_value(), i != 20) << i;
    if (replies[i]) {
      EXPECT_EQ(*replies[i], commands[i].arguments);
    }
  }
  EXPECT_TRUE(qmp->execute("good")) << "a refusal leaves the connection usable";
  EXPECT_TRUE(qmp->execute_all({}).empty());
}

TEST(Qmp, NoMoreCommandsAreOnTheirWayThanQemuQueues) {
  std::atomic<std::size_t> waiting = 0;
  FakeQmp server(FakeQmp::kGreeting, after_setup([&](const Json&, const FakeQmp::Send&) {
                   ++waiting;  // none is answered
                   return true;
                 }));
  auto qmp = Qmp::adopt(server.client(),
                        {std::chrono::seconds(5), std::chrono::milliseconds(200), 1 << 16});
  ASSERT_TRUE(qmp);
  const std::vector<QmpCommand> commands(20, {"x", ""});
  const auto replies = qmp->execute_all(commands);
  ASSERT_EQ(replies.size(), commands.size());
  for (const auto& reply : replies) EXPECT_EQ(reply.error().code, base::Code::timeout);
  EXPECT_EQ(waiting, Qmp::kInFlight);
  EXPECT_TRUE(qmp->broken());
}

TEST(Qmp, AConnectionThatEndsFailsTheCommandsThatAreLeft) {
  FakeQmp server(FakeQmp::kGreeting,
                 after_setup([](const Json& request, const FakeQmp::Send& send) {
                   if (request["execute"] == "last") return false;
                   send("{\"return\":{},\"id\":" + request["id"].dump() + "}\r\n");
                   return true;
                 }));
  auto qmp = Qmp::adopt(server.client(), kPatientQmp);
  ASSERT_TRUE(qmp);
  const std::vector<QmpCommand> commands{{"x", ""}, {"last", ""}, {"y", ""}, {"z", ""}};
  const auto replies = qmp->execute_all(commands);
  ASSERT_EQ(replies.size(), 4U);
  EXPECT_TRUE(replies[0]);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(replies[i].error().code, base::Code::gone) << i;
}

TEST(Qmp, MonitorTextHasPlainLineEnds) {
  FakeQmp server([](const Json& request) {
    return Json(request["arguments"]["command-line"].get<std::string>() + "\r\nb\r\n").dump();
  });
  auto qmp = Qmp::adopt(server.client(), kPatientQmp);
  ASSERT_TRUE(qmp);
  EXPECT_EQ(*qmp->human_monitor("info \"x\""), "info \"x\"\nb\n");
}

}  // namespace
}  // namespace vitrine::vmm
