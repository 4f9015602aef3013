// The views of what the kernel counts of interrupts and slabs against the guest's own /proc.
#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <sstream>

#include "tests/live/view_test.h"

namespace vitrine::live {
namespace {

using nlohmann::json;

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string joined(const std::vector<std::string>& words, std::size_t from) {
  std::string text;
  for (std::size_t i = from; i < words.size(); ++i) text += (i == from ? "" : " ") + words[i];
  return text;
}

struct Interrupt {
  std::vector<std::uint64_t> counts;
  std::vector<std::string> rest;  // words behind the counts
};

// /proc/interrupts by the first column.
std::map<std::string, Interrupt> interrupts_of(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  const std::size_t cpus = words_of(line).size();
  std::map<std::string, Interrupt> all;
  while (std::getline(lines, line)) {
    const std::vector<std::string> words = words_of(line);
    if (words.empty() || !words[0].ends_with(':')) continue;
    const std::string name = words[0].substr(0, words[0].size() - 1);
    const std::size_t counts = name == "ERR" || name == "MIS" ? 1 : cpus;
    Interrupt interrupt;
    for (std::size_t i = 1; i < words.size(); ++i)
      if (i <= counts)
        interrupt.counts.push_back(std::stoull(words[i]));
      else
        interrupt.rest.push_back(words[i]);
    all[name] = std::move(interrupt);
  }
  return all;
}

// Each line of /proc/slabinfo by its name: three numbers that move, then three that do not, and the
// number of slabs.
std::map<std::string, std::vector<std::int64_t>> slabs_of(const std::string& text) {
  std::istringstream lines(text);
  std::map<std::string, std::vector<std::int64_t>> all;
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> words = words_of(line);
    if (words.size() < 15 || words[0] == "#") continue;
    std::vector<std::int64_t>& numbers = all[words[0]];
    for (const std::size_t column : {1U, 2U, 3U, 4U, 5U, 14U})
      numbers.push_back(std::stoll(words[column]));
  }
  return all;
}

class KernelCountsTest : public ViewTest {
 protected:
  void compare_interrupts();
  void compare_slabs();

 private:
  static void compare_counts(const json& row, const Interrupt& before, const Interrupt& after);
  static void compare_line(const json& row, const Interrupt& own);
};

// What only grows lies between what the guest said before and after.
void KernelCountsTest::compare_counts(const json& row, const Interrupt& before,
                                      const Interrupt& after) {
  std::vector<std::string> counts{std::to_string(row.at("total").get<std::uint64_t>())};
  if (!row.at("per_cpu").is_null()) counts = words_of(row.at("per_cpu"));
  ASSERT_EQ(counts.size(), before.counts.size()) << row;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::uint64_t count = std::stoull(counts[i]);
    EXPECT_GE(count, before.counts[i]) << row;
    EXPECT_LE(count, after.counts[i]) << row;
    total += count;
  }
  EXPECT_EQ(row.at("total"), total);
}

// "IO-APIC 2-edge timer": the controller, the line's number and the way it is handled, and by whom.
void KernelCountsTest::compare_line(const json& row, const Interrupt& own) {
  const std::vector<std::string>& words = own.rest;
  ASSERT_GE(words.size(), 2U) << row;
  EXPECT_EQ(row.at("chip"), words[0]);
  const std::string number = std::to_string(row.at("hwirq").get<std::uint64_t>());
  EXPECT_EQ(words[1].substr(0, words[1].find('-')), number) << row;
  EXPECT_EQ(row.at("trigger"), words[1].ends_with("-edge") ? "edge" : "level") << own.rest[1];
  const json& actions = row.at("actions");
  EXPECT_EQ(actions.is_null() ? std::string() : actions.get<std::string>(), joined(words, 2));
}

void KernelCountsTest::compare_interrupts() {
  const auto before = interrupts_of(guest().run("cat /proc/interrupts"));
  const json all = rows("interrupts");
  const auto after = interrupts_of(guest().run("cat /proc/interrupts"));
  std::set<std::string> seen;
  for (const json& row : all) {
    const std::string name = row.at("irq");
    EXPECT_TRUE(seen.insert(name).second) << row;
    EXPECT_TRUE(row.value("errors", json::array()).empty()) << row;
    if (!before.contains(name)) {
      // The guest leaves out what was never counted, or what nobody handles any more.
      EXPECT_TRUE(row.at("total") == 0 || row.at("actions").is_null()) << row;
      continue;
    }
    compare_counts(row, before.at(name), after.at(name));
    if (std::isdigit(static_cast<unsigned char>(name[0])) != 0) {
      compare_line(row, before.at(name));
    } else if (!before.at(name).rest.empty()) {
      EXPECT_EQ(row.at("actions"), joined(before.at(name).rest, 0));
    }
  }
  for (const auto& [name, own] : before) EXPECT_TRUE(seen.contains(name)) << name;
  EXPECT_GT(before.size(), 15U);
}

void KernelCountsTest::compare_slabs() {
  const auto before = slabs_of(guest().run("cat /proc/slabinfo"));
  const json all = rows("slabinfo");
  const auto after = slabs_of(guest().run("cat /proc/slabinfo"));
  EXPECT_EQ(all.size(), before.size());
  EXPECT_GT(all.size(), 60U);
  std::size_t same = 0;
  for (const json& row : all) {
    const std::string name = row.at("name");
    ASSERT_TRUE(before.contains(name) && after.contains(name)) << name;
    const auto& first = before.at(name);
    const auto& last = after.at(name);
    std::size_t column = 0;
    bool as_told = true;
    for (const char* field :
         {"active_objs", "num_objs", "objsize", "objperslab", "pagesperslab", "num_slabs"}) {
      const auto value = row.at(field).get<std::int64_t>();
      // Listing takes and gives back some of most kinds: a slab of each CPU, and a part of them.
      const bool moves = column < 2 || column == 5;
      const std::int64_t slab = column == 5 ? 1 : first[3];
      const std::int64_t slack = moves ? 8 * slab + std::max(first[column], last[column]) / 4 : 0;
      EXPECT_GE(value, std::min(first[column], last[column]) - slack) << row << field;
      EXPECT_LE(value, std::max(first[column], last[column]) + slack) << row << field;
      as_told = as_told && (value == first[column] || value == last[column]);
      ++column;
    }
    EXPECT_EQ(row.at("active_slabs"), row.at("num_slabs"));
    EXPECT_EQ(row.at("bytes").get<std::int64_t>(), row.at("num_slabs").get<std::int64_t>() *
                                                       row.at("pagesperslab").get<std::int64_t>() *
                                                       4096);
    if (as_told) ++same;
  }
  EXPECT_GT(same * 4, all.size() * 3) << same << " of " << all.size();
}

TEST_P(KernelCountsTest, AreThoseOfTheGuestsOwnProc) {
  compare_interrupts();
  compare_slabs();
  guest().run("echo 0 >/sys/devices/system/cpu/cpu1/online");
  EXPECT_EQ(words_of(rows("interrupts")[0].at("per_cpu")).size(), 1U);
  guest().run("echo 1 >/sys/devices/system/cpu/cpu1/online");
}

INSTANTIATE_TEST_SUITE_P(Debian, KernelCountsTest, testing::Values("5.10", "6.1", "6.12", "7"),
                         linux_name);

}  // namespace
}  // namespace vitrine::live
