#include <gtest/gtest.h>

#include <set>

#include "vitrine/techniques/technique.h"
#include "vitrine/techniques/testing/own_guest.h"

namespace vitrine::techniques {
namespace {

using testing::OwnGuest;

TEST(Registry, DescribesEveryTechniqueOnEveryAxis) {
  std::set<std::string_view> ids;
  for (const Technique* technique : all()) {
    const Description& description = technique->description();
    EXPECT_TRUE(ids.insert(description.id).second) << description.id;
    for (const std::string_view axis :
         {description.id, description.technique_class, description.cooperation,
          description.snapshot, description.liveness, description.access, description.demands})
      EXPECT_FALSE(axis.empty()) << description.id;
    EXPECT_EQ(find(description.id).value(), technique);
  }
  EXPECT_GE(ids.size(), 3U);
}

TEST(Registry, NamesTheTechniquesThereAre) {
  const auto found = find("mpa");
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("mpa"), std::string::npos);
  for (const Technique* technique : all())
    EXPECT_NE(found.error().remedy.find(technique->description().id), std::string::npos);
  EXPECT_FALSE(find(""));
}

TEST(Registry, ChoosesTheBestPassiveTechniqueThatIsUsable) {
  OwnGuest guest;
  const auto shared = choose(guest.machine(), guest.shared_layout());
  ASSERT_TRUE(shared) << to_string(shared.error());
  EXPECT_EQ((*shared)->description().id, "map");
  const auto mixed = choose(guest.machine(), guest.layout());
  ASSERT_TRUE(mixed) << to_string(mixed.error());
  EXPECT_EQ((*mixed)->description().id, "process-vm");
  EXPECT_EQ((*mixed)->description().effect, Effect::passive);
}

TEST(Registry, SaysForEachTechniqueWhyItIsNotUsable) {
  OwnGuest guest;
  vmm::Machine ended = guest.machine();
  ended.process.pid = 0x7fff'fff0;
  const auto none = choose(ended, guest.layout());
  ASSERT_FALSE(none);
  EXPECT_FALSE(find("process-vm").value()->usable(ended, guest.layout()));
  for (const Technique* technique : all()) {
    if (technique->description().effect != Effect::passive) continue;
    EXPECT_NE(none.error().message.find(technique->description().id), std::string::npos);
  }
}

}  // namespace
}  // namespace vitrine::techniques
