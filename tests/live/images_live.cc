// Memory images as the program reads them: the same answers from an image of each format as from
// the VM that it is of, which stands still meanwhile; the tools that show single values, against
// what the guest says of itself; and evidence, which answers again without the VM.
#include <array>
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"

namespace vitrine::live {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

// A raw image as LiME would have saved it: the ranges of "System RAM", of which the first does not
// end with a page.
void write_lime(const fs::path& raw, const fs::path& lime) {
  std::ifstream from(raw, std::ios::binary);
  std::ofstream to(lime, std::ios::binary);
  const std::uint64_t size = fs::file_size(raw);
  for (const auto& [first, end] :
       {std::pair<std::uint64_t, std::uint64_t>{0x1000, 0x9fc00}, {0x100000, size}}) {
    const std::uint32_t magic = 0x4c694d45;
    const std::uint32_t version = 1;
    const std::uint64_t last = end - 1;
    const std::uint64_t reserved = 0;
    for (const auto& [value, bytes] : {std::pair<const void*, std::size_t>{&magic, 4},
                                       {&version, 4},
                                       {&first, 8},
                                       {&last, 8},
                                       {&reserved, 8}})
      to.write(static_cast<const char*>(value), static_cast<std::streamsize>(bytes));
    std::vector<char> buffer(1 << 20);
    from.seekg(static_cast<std::streamoff>(first));
    for (std::uint64_t left = end - first; left > 0;) {
      const auto part = static_cast<std::streamsize>(std::min<std::uint64_t>(left, buffer.size()));
      from.read(buffer.data(), part);
      to.write(buffer.data(), part);
      left -= static_cast<std::uint64_t>(part);
    }
  }
}

// A migration stream as `virsh save` would have written it.
void write_libvirt_save(const fs::path& stream, const fs::path& save) {
  const std::string xml = "<domain type='kvm'><name>saved</name></domain>";
  const std::array<std::uint32_t, 19> header{2, static_cast<std::uint32_t>(xml.size() + 1), 1, 0};
  std::ofstream to(save, std::ios::binary);
  to << "LibvirtQemudSave";
  to.write(reinterpret_cast<const char*>(header.data()), sizeof header);
  to << xml << '\0' << std::ifstream(stream, std::ios::binary).rdbuf();
}

class ImagesTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!kernel_available(GetParam())) GTEST_SKIP() << "SKIPPED: guest kernel " << GetParam();
    guest_ = std::make_unique<Guest>(GuestOptions{.kernel = GetParam(),
                                                  .name = std::string("images-") + GetParam(),
                                                  .memory = "256M",
                                                  .arguments = {"-smp", "2"}});
  }
  void TearDown() override {
    if (HasFailure() && guest_ != nullptr) ADD_FAILURE() << guest_->log();
  }

  fs::path file(const std::string& name) const { return guest_->folder() / name; }
  std::string spec(const std::string& name) const { return "file:" + file(name).string(); }

  json snapshot(const std::string& format) {
    return vitrine_json({"snapshot", guest_->name(), "-o", file(format).string(), "--format",
                         format, "--pause", "vmm"});
  }

  void migrate(const std::string& name) {
    QmpClient qmp(guest_->qmp());
    qmp.execute("migrate", {{"uri", "exec:cat > " + file(name).string()}});
    for (int i = 0; i < 600; ++i) {
      const json status = qmp.execute("query-migrate");
      if (status.at("status") == "completed") return;
      ASSERT_NE(status.at("status"), "failed") << status.dump();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    FAIL() << "the migration did not complete";
  }

  void expect_same(const std::map<std::string, json>& answers, const std::string& image) {
    for (const auto& [view, expected] : answers) {
      const json answer = vitrine_json({view, spec(image)});
      EXPECT_EQ(answer.at("rows"), expected.at("rows")) << view << " of " << image;
      EXPECT_EQ(answer.at("vm").at("source"), spec(image));
      EXPECT_EQ(answer.at("vm").at("pid"), nullptr);
      EXPECT_EQ(answer.at("warnings"), expected.at("warnings")) << view << " of " << image;
    }
  }

  std::string value(const json& info, const std::string& fact) const {
    return info.at("info").at(fact).at("value").get<std::string>();
  }

  void check_tools(const std::string& vm, const std::map<std::string, std::string>& symbols);

  std::unique_ptr<Guest> guest_;
};

// Symbols as the guest's own /proc/kallsyms has them.
std::map<std::string, std::string> own_symbols(Guest& guest) {
  std::map<std::string, std::string> symbols;
  std::istringstream lines(
      guest.run("grep -E ' (_stext|init_task|linux_banner|jiffies_64|vfs_read)$' /proc/kallsyms"));
  std::string address;
  std::string kind;
  std::string name;
  while (lines >> address >> kind >> name) symbols[name] = "0x" + address;
  return symbols;
}

void ImagesTest::check_tools(const std::string& vm,
                             const std::map<std::string, std::string>& symbols) {
  // `type`: libbpf reads the guest's BTF here; the offsets are those that the views use, too.
  const json type = vitrine_json({"type", vm, "task_struct"}).at("type");
  EXPECT_EQ(type.at("kind"), "struct");
  EXPECT_GT(type.at("size_bytes"), 4096);
  const json pid = vitrine_json({"type", vm, "task_struct.pid"}).at("type");
  EXPECT_EQ(pid.at("name"), "pid_t");
  EXPECT_EQ(pid.at("size_bytes"), 4);

  // `symbols`, against the guest's own list.
  for (const auto& [name, address] : symbols) {
    const json rows = vitrine_json({"symbols", vm, name}).at("rows");
    ASSERT_GE(rows.size(), 1U) << name;
    EXPECT_EQ(rows.at(0).at("address"), address) << name;
  }
  const json near = vitrine_json({"symbols", vm, symbols.at("vfs_read")}).at("rows");
  ASSERT_EQ(near.size(), 1U);
  EXPECT_EQ(near.at(0).at("offset"), 0);

  // `print`: the first task, by its type.
  const json task = vitrine_json({"print", vm, "task_struct", "init_task"}).at("print");
  EXPECT_EQ(task.at("address"), symbols.at("init_task"));
  EXPECT_EQ(task.at("value").at("pid"), 0);
  EXPECT_THAT(task.at("value").at("comm").get<std::string>(), HasSubstr("swapper"));
  const json comm = vitrine_json({"print", vm, "task_struct", "init_task", "comm"}).at("print");
  EXPECT_EQ(comm.at("value"), task.at("value").at("comm"));

  // `read`: what the kernel calls itself, by its symbol and by the physical address.
  const std::string release = vitrine_json({"info", vm}).at("info").at("release").at("value");
  const json banner = vitrine_json({"read", vm, "linux_banner", "64"}).at("read");
  const std::string hex = banner.at("pieces").at(0).at("bytes");
  std::string text;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    text += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  if (banner.at("pieces").size() == 1) {
    EXPECT_THAT(text, HasSubstr("Linux version " + release.substr(0, 20)));
  }
  const json walk = vitrine_json({"translate", vm, "linux_banner"}).at("translate");
  const std::string physical = walk.at("physical");
  EXPECT_EQ(walk.at("walk").at(0).at("table"), "PGD");
  EXPECT_EQ(walk.at("walk").back().at("leaf"), true);
  EXPECT_THAT(walk.at("lies_in").get<std::string>(), HasSubstr("linux_banner"));
  const json by_physical =
      vitrine_json({"read", vm, "phys:" + physical, "16"}).at("read").at("pieces").at(0);
  EXPECT_EQ(by_physical.at("bytes").get<std::string>(), hex.substr(0, 32));
  const Finished hole = vitrine({"read", vm, "0x1000", "8", "--json"});
  EXPECT_EQ(hole.status, 1);
  EXPECT_THAT(hole.errors, HasSubstr("not mapped"));
}

TEST_P(ImagesTest, AnswersAsTheVmDidFromEveryFormat) {
  guest_->run("echo something > /tmp/file; sleep 1000 < /tmp/file > /dev/null 2>&1 &");
  const auto symbols = own_symbols(*guest_);
  ASSERT_EQ(symbols.size(), 5U);
  QmpClient(guest_->qmp()).execute("stop");
  const std::string vm = guest_->name();

  std::map<std::string, json> answers;
  for (const char* view : {"ps", "lsof", "mount", "dmesg", "lsmod"})
    answers[view] = vitrine_json({view, vm});
  const json rows = answers.at("ps").at("rows");
  ASSERT_GT(rows.size(), 40U);
  check_tools(vm, symbols);
  const json registers = vitrine_json({"registers", vm}).at("registers").at("processors");
  ASSERT_EQ(registers.size(), 2U);

  // Evidence: of the VM, without touching it again.
  const std::string evidence = file("evidence").string();
  EXPECT_EQ(vitrine_json({"ps", vm, "--record", evidence, "--pause", "vmm"}).at("rows"), rows);
  EXPECT_EQ(vitrine({"ps", vm, "--record", evidence}).status, 2) << "it exists";

  for (const char* format : {"raw", "elf", "kdump"}) snapshot(format);
  write_lime(file("raw"), file("lime"));
  QmpClient(guest_->qmp())
      .execute("dump-guest-memory",
               {{"paging", false}, {"protocol", "file:" + file("qemu").string()}});
  migrate("stream");
  write_libvirt_save(file("stream"), file("saved"));
  guest_->vmm().kill();

  for (const char* image : {"raw", "elf", "kdump", "lime", "qemu", "stream", "saved"})
    expect_same(answers, image);
  for (const char* image : {"raw", "kdump", "stream"}) check_tools(spec(image), symbols);
  for (const char* image : {"elf", "kdump", "qemu"}) {
    const json kept = vitrine_json({"registers", spec(image)}).at("registers").at("processors");
    ASSERT_EQ(kept.size(), 2U) << image;
    for (std::size_t cpu = 0; cpu < 2; ++cpu)
      for (const char* name : {"rip", "rsp", "rax", "gs_base"})
        EXPECT_EQ(kept.at(cpu).at(name), registers.at(cpu).at(name)) << image << " " << name;
  }
  EXPECT_EQ(vitrine({"registers", spec("raw")}).status, 1);

  const json again = vitrine_json({"ps", "file:" + evidence});
  EXPECT_EQ(again.at("rows"), rows);
  EXPECT_EQ(again.at("observation").at("consistency").at("atomic"), "proved");
  EXPECT_LT(fs::file_size(evidence), 8U << 20);
  std::cout << "evidence of " << rows.size() << " processes: " << fs::file_size(evidence)
            << " bytes" << std::endl;

  // What info says of the files, and of their manifests.
  const json raw = vitrine_json({"info", spec("raw")});
  EXPECT_EQ(value(raw, "image_format"), "raw");
  EXPECT_EQ(value(raw, "manifest"), "matches");
  EXPECT_EQ(value(raw, "image_one_instant"), "proved");
  EXPECT_EQ(value(vitrine_json({"info", spec("qemu")}), "manifest"), "missing");
  EXPECT_EQ(value(vitrine_json({"info", spec("qemu")}), "anchor"), "vCPU registers");
  EXPECT_EQ(value(vitrine_json({"info", spec("stream")}), "image_format"), "migration");
  EXPECT_EQ(vitrine_json({"info", spec("saved")}).at("vm").at("name"), "saved");
  EXPECT_EQ(vitrine_json({"ps", spec("elf")}).at("observation").at("consistency").at("atomic"),
            "proved");
  EXPECT_EQ(vitrine_json({"ps", spec("lime")}).at("observation").at("consistency").at("atomic"),
            "unknown");
  std::fstream(file("raw"), std::ios::in | std::ios::out | std::ios::binary).write("changed", 7);
  const json changed = vitrine_json({"info", spec("raw")}, 3);
  EXPECT_EQ(value(changed, "manifest"), "differs");

  // A bare path means the image, too, and a conversion is a snapshot of it.
  EXPECT_EQ(vitrine_json({"ps", file("elf").string()}).at("rows"), rows);
  vitrine_json({"snapshot", spec("stream"), "-o", file("converted").string(), "--format", "kdump"});
  EXPECT_EQ(vitrine_json({"ps", spec("converted")}).at("rows"), rows);
  EXPECT_GT(vitrine_json({"rate", spec("elf"), "--seconds", "0.2"}).at("views"), 1);

  // What makes no sense for an image is told.
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--technique", "map"},
                                                {"--pause", "vmm"},
                                                {"--watch", "1"},
                                                {"--second-opinion"},
                                                {"--dry-run"}}) {
    std::vector<std::string> command{"ps", spec("elf")};
    command.insert(command.end(), wrong.begin(), wrong.end());
    const Finished refused = vitrine(command);
    EXPECT_EQ(refused.status, 2) << wrong.front() << ": " << refused.errors;
    EXPECT_THAT(refused.errors, HasSubstr("image")) << wrong.front();
  }

  // Images that were cut off.
  for (const char* image : {"elf", "kdump", "lime", "qemu", "stream", "evidence"}) {
    fs::resize_file(file(image), fs::file_size(file(image)) / 2);
    const Finished cut = vitrine({"ps", spec(image)});
    EXPECT_EQ(cut.status, 1) << image << ": " << cut.output;
    EXPECT_THAT(cut.errors, HasSubstr(file(image).string())) << image;
  }
}

INSTANTIATE_TEST_SUITE_P(Debian, ImagesTest, testing::Values("6.1", "6.12", "7"),
                         [](const auto& param_info) {
                           std::string name = std::string("Linux") + param_info.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace vitrine::live
