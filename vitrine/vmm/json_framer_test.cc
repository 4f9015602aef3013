#include "vitrine/vmm/json_framer.h"

#include <gtest/gtest.h>

namespace vitrine::vmm {
namespace {

TEST(JsonFramer, CutsAtEveryPossiblePlace) {
  const std::string stream = " {\"a\":\"}\\\\\"}\r\n{\"b\":{\"c\":[\"\\\"{\"]}}";
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    JsonFramer framer(100);
    std::vector<std::string> objects;
    for (const auto& part : {stream.substr(0, cut), stream.substr(cut)}) {
      framer.feed(part);
      while (auto object = framer.next().value()) objects.push_back(*object);
    }
    ASSERT_EQ(objects,
              (std::vector<std::string>{"{\"a\":\"}\\\\\"}", "{\"b\":{\"c\":[\"\\\"{\"]}}"}))
        << cut;
  }
}

TEST(JsonFramer, RefusesOtherThingsAndTooMuch) {
  JsonFramer garbage(100);
  garbage.feed("}{");
  EXPECT_EQ(garbage.next().error().code, base::Code::inconsistent);
  JsonFramer large(10);
  large.feed("{\"a\":12345}");
  EXPECT_EQ(large.next().error().code, base::Code::unsupported);
}

TEST(JsonFramer, RefusesWhatIsNestedDeeply) {
  const auto nested = [](std::size_t levels) {
    return "{\"a\":" + std::string(levels, '[') + std::string(levels, ']') + "}";
  };
  JsonFramer fitting(1 << 20);
  fitting.feed(nested(300));
  EXPECT_EQ(fitting.next().value(), nested(300));
  JsonFramer deep(1 << 20);
  deep.feed(nested(100'000));
  EXPECT_EQ(deep.next().error().code, base::Code::unsupported);
}

TEST(JsonFramer, RefusesAnObjectThatEndsAsAList) {
  JsonFramer framer(100);
  framer.feed("{]");
  EXPECT_EQ(framer.next().error().code, base::Code::inconsistent);
}

}  // namespace
}  // namespace vitrine::vmm
