// What `vitrine profile` writes for other tools, against what the guest says of itself: its own
// /proc/kallsyms and /sys/kernel/btf/vmlinux, which it copies to a disk.
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <sstream>

#include "tests/live/disk.h"
#include "tests/live/guest_test.h"
#include "vitrine/base/base64.h"
#include "vitrine/images/testing/isf_faults.h"

namespace vitrine::live {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t kListAt = 32 << 20;                // on the disk: the BTF before it
constexpr std::uint64_t kLinkedAt = 0xffffffff81000000;  // _text, in Debian's kernels for x86-64
constexpr std::uint64_t kUpperHalf = std::uint64_t{1} << 63;

struct OwnSymbol {
  std::uint64_t address = 0;
  char kind = 0;
  std::string name;
};

class ProfileTest : public GuestTest {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    disk_ = make_disk(folder_->path());
    boot({.kernel = "6.1",
          .name = "profile",
          .arguments = {"-drive", "file=" + disk_ + ",format=raw,if=virtio"}});
  }
  static void TearDownTestSuite() {
    GuestTest::TearDownTestSuite();
    folder_.reset();
  }

  void SetUp() override {
    GuestTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure() && truth_.empty()) fetch_truth();
  }

  void fetch_truth() {
    guest().run("for module in /modules/*; do insmod $module; done; ls /dev/vda");
    guest().run(
        "dd if=/sys/kernel/btf/vmlinux of=/dev/vda bs=64k && "
        "dd if=/proc/kallsyms of=/dev/vda bs=64k seek=512 && sync",
        std::chrono::seconds(120));
    truth_ = read_file(disk_);
    ASSERT_GT(truth_.size(), kListAt);
  }

  // The kernel's own symbols as the guest lists them, those of modules left out.
  static std::vector<OwnSymbol> own_symbols() {
    std::vector<OwnSymbol> symbols;
    std::istringstream lines(truth_.c_str() + kListAt);
    for (std::string line; std::getline(lines, line);) {
      if (line.find('[') != std::string::npos) continue;
      std::istringstream words(line);
      OwnSymbol symbol;
      words >> std::hex >> symbol.address >> symbol.kind >> symbol.name;
      symbols.push_back(symbol);
    }
    return symbols;
  }

  static std::uint64_t kaslr_of(const std::vector<OwnSymbol>& symbols) {
    const auto text = std::ranges::find(symbols, "_text", &OwnSymbol::name);
    return text == symbols.end() ? ~std::uint64_t{0} : text->address - kLinkedAt;
  }

  static std::uint64_t as_linked(const OwnSymbol& symbol, std::uint64_t kaslr) {
    return symbol.address >= kUpperHalf ? symbol.address - kaslr : symbol.address;
  }

  static fs::path file(const std::string& name) { return folder_->path() / name; }

  static std::string profile(const std::string& name,
                             const std::vector<std::string>& options = {}) {
    std::vector<std::string> command{"profile", guest().name(), "-o", file(name).string()};
    command.insert(command.end(), options.begin(), options.end());
    const Finished done = vitrine(command);
    EXPECT_EQ(done.status, 0) << done.errors;
    return read_file(file(name));
  }

  // Made once, since it is large.
  static const json& isf() {
    if (isf_.is_null()) {
      report_ = vitrine_json({"profile", guest().name(), "-o", file("kernel.json").string()});
      isf_ = json::parse(read_file(file("kernel.json")));
    }
    return isf_;
  }

  static inline json isf_;
  static inline json report_;  // what was printed then
  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline std::string disk_;
  static inline std::string truth_;
};

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::ranges::sort(lines);
  return lines;
}

std::vector<std::string> expected_map(const std::vector<OwnSymbol>& symbols, std::uint64_t moved) {
  std::vector<std::string> lines;
  for (const OwnSymbol& one : symbols) {
    std::array<char, 32> place{};
    std::snprintf(place.data(), place.size(), "%016lx %c ",
                  one.address >= kUpperHalf ? one.address - moved : one.address, one.kind);
    lines.push_back(place.data() + one.name);
  }
  std::ranges::sort(lines);
  return lines;
}

TEST_F(ProfileTest, ASystemMapIsTheGuestsOwnListWithoutKaslr) {
  const auto symbols = own_symbols();
  ASSERT_GT(symbols.size(), 80'000U);
  const std::uint64_t kaslr = kaslr_of(symbols);
  ASSERT_EQ(kaslr % (2 << 20), 0U);
  const std::string map = profile("kernel.map");
  EXPECT_TRUE(sorted_lines(map) == expected_map(symbols, kaslr));
  EXPECT_THAT(map, HasSubstr("ffffffff81000000 T _text\n"));
  std::istringstream lines(map);
  std::string before;
  for (std::string line; std::getline(lines, line); before = line.substr(0, 16))
    ASSERT_LE(before, line.substr(0, 16));
  EXPECT_TRUE(sorted_lines(profile("running.map", {"--relocated"})) == expected_map(symbols, 0));
}

// What the guest's BTF, read by libbpf, says of a structure that the profile tells otherwise.
void compare(const btf* own, const btf_type* type, const json& told,
             std::vector<std::string>& differences) {
  const std::string name = btf__name_by_offset(own, type->name_off);
  const auto expect = [&](bool same, const std::string& what) {
    if (!same && differences.size() < 20) differences.push_back(name + ": " + what);
  };
  expect(told.at("size") == type->size, "size");
  expect(told.at("kind") == (btf_is_union(type) ? "union" : "struct"), "kind");
  const json& fields = told.at("fields");
  expect(fields.size() == btf_vlen(type), "number of fields");
  unsigned unnamed = 0;
  for (std::uint32_t i = 0; i < btf_vlen(type); ++i) {
    std::string member = btf__name_by_offset(own, btf_members(type)[i].name_off);
    const bool anonymous = member.empty();
    if (anonymous) {
      std::ostringstream invented;
      invented << "unnamed_field_" << std::hex << unnamed++;
      member = invented.str();
    }
    const auto field = fields.find(member);
    if (field == fields.end()) {
      expect(false, "no " + member);
      continue;
    }
    const std::uint32_t bits = btf_member_bitfield_size(type, i);
    std::uint64_t bit = field->at("offset").get<std::uint64_t>() * 8;
    if (bits != 0) bit += field->at("type").at("bit_position").get<std::uint64_t>();
    expect(bit == btf_member_bit_offset(type, i), "place of " + member);
    expect(field->at("type").value("bit_length", 0U) == bits, "width of " + member);
    expect(field->value("anonymous", false) == anonymous, "name of " + member);
  }
}

TEST_F(ProfileTest, IsfHasTheLayoutsOfTheGuestsOwnBtf) {
  btf_header header{};
  std::memcpy(&header, truth_.data(), sizeof header);
  btf* const own = btf__new(truth_.data(), header.hdr_len + header.str_off + header.str_len);
  ASSERT_EQ(libbpf_get_error(own), 0);
  std::vector<std::string> differences;
  std::set<std::string> seen;  // of several structures of one name, the first has it
  for (std::uint32_t id = 1; id < btf__type_cnt(own); ++id) {
    const btf_type* const type = btf__type_by_id(own, id);
    if (!btf_is_composite(type)) continue;
    const std::string name = btf__name_by_offset(own, type->name_off);
    if (name.empty() || !seen.insert(name).second) continue;
    const auto told = isf().at("user_types").find(name);
    if (told == isf().at("user_types").end())
      differences.push_back("no " + name);
    else
      compare(own, type, *told, differences);
  }
  btf__free(own);
  EXPECT_GT(seen.size(), 4'000U);
  EXPECT_THAT(differences, IsEmpty());
}

TEST_F(ProfileTest, IsfHasTheGuestsSymbolsAndItsBanner) {
  EXPECT_THAT(images::testing::IsfFaults::of(isf()), IsEmpty());
  // None stands there twice, which the parser would hide.
  for (const char* list : {"symbols", "user_types", "enums"})
    EXPECT_EQ(isf().at(list).size(), report_.at("profile").at(list)) << list;

  const auto symbols = own_symbols();
  const std::uint64_t kaslr = kaslr_of(symbols);
  std::map<std::string, std::set<std::uint64_t>> own;
  for (const OwnSymbol& one : symbols) own[one.name].insert(as_linked(one, kaslr));
  const json& told = isf().at("symbols");
  EXPECT_EQ(told.size(), own.size());
  std::vector<std::string> differences;
  for (const auto& [name, addresses] : own)
    if (!told.contains(name) ||
        !addresses.contains(told.at(name).at("address").get<std::uint64_t>()))
      differences.push_back(name);
  EXPECT_THAT(differences, IsEmpty());
  EXPECT_EQ(told.at("init_task").at("type"), json({{"kind", "struct"}, {"name", "task_struct"}}));

  const std::string banner = guest().run("cat /proc/version");
  ASSERT_THAT(banner, HasSubstr("Linux version 6.1"));
  EXPECT_EQ(base::decode_base64(told.at("linux_banner").at("constant_data").get<std::string>()),
            banner + '\0');
}

TEST_F(ProfileTest, IsForItsOwnerAloneAndReplacesNothingUnasked) {
  const json answer =
      vitrine_json({"profile", guest().name(), "-o", file("own.map").string()}).at("profile");
  EXPECT_EQ(answer.at("format"), "system-map");
  EXPECT_EQ(answer.at("relocated"), false);
  EXPECT_EQ(answer.at("bytes"), fs::file_size(file("own.map")));
  struct stat info {};
  ASSERT_EQ(stat(file("own.map").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);

  const std::vector<std::string> again{"profile", guest().name(), "-o", file("own.map").string()};
  EXPECT_THAT(vitrine(again).errors, HasSubstr("--force"));
  const std::vector<std::string> unclear{"profile", guest().name(), "-o", file("own.xz").string()};
  const Finished refused = vitrine(unclear);
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.errors, HasSubstr("--format"));
  EXPECT_FALSE(fs::exists(file("own.xz")));
  EXPECT_EQ(
      vitrine({"profile", guest().name(), "-o", file("moved.json").string(), "--relocated"}).status,
      2);
}

}  // namespace
}  // namespace vitrine::live
