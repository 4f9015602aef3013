#include "vitrine/vmm/gdb_stub.h"

#include <gtest/gtest.h>

namespace vitrine::vmm {
namespace {

TEST(ParseStub, GoesWhereTheStubListensOnThisHost) {
  EXPECT_EQ(parse_stub("disconnected:unix:/run/g,d:b,server=on").value(),
            (StubEndpoint{"/run/g,d:b", 0}));
  EXPECT_EQ(parse_stub("disconnected:tcp:127.0.0.1:1234,server=on").value(),
            (StubEndpoint{{}, 1234}));
  EXPECT_EQ(parse_stub("disconnected:tcp:[::]:1234,server=on").value(), (StubEndpoint{{}, 1234}));
}

TEST(ParseStub, GoesNowhereElse) {
  EXPECT_EQ(parse_stub("tcp:127.0.0.1:1234").error().code, base::Code::unreadable);
  for (const std::string place :
       {"", "tcp", "pty", "tcp:", "tcp:1234", "tcp:10.0.0.1:1234,server=on", "tcp:127.0.0.1:0",
        "tcp:127.0.0.1:65536", "tcp:127.0.0.1:12x", "unix:relative", "unix:/x,abstract=on"}) {
    const auto stub = parse_stub("disconnected:" + place);
    ASSERT_FALSE(stub) << place;
    EXPECT_EQ(stub.error().code, base::Code::unsupported) << place;
  }
}

}  // namespace
}  // namespace vitrine::vmm
