#include "vitrine/memory/elf_core.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

namespace vitrine::memory {
namespace {

using base::GuestPhysical;

// A core file as QEMU writes it; every part can be changed before it is written.
struct Core {
  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;
  std::string notes;

  Core() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_CORE;
    header.e_machine = EM_X86_64;
    header.e_phoff = sizeof(header);
    header.e_phentsize = sizeof(Elf64_Phdr);
  }
  void load(std::uint64_t address, std::uint64_t size, std::uint64_t offset) {
    segments.push_back({PT_LOAD, 0, offset, 0, address, size, size, 0});
  }
  void note(const std::string& name, std::uint32_t type, const std::string& content) {
    append({static_cast<std::uint32_t>(name.size() + 1), static_cast<std::uint32_t>(content.size()),
            type});
    notes += name + std::string(4 - name.size() % 4, '\0') + content;
    notes.resize((notes.size() + 3) / 4 * 4);
  }
  void append(std::vector<std::uint32_t> words) {
    notes.append(reinterpret_cast<const char*>(words.data()), words.size() * 4);
  }
  // Notes go behind the segment headers.
  base::FileDescriptor write() {
    Core whole = *this;
    const std::uint64_t notes_at = sizeof(header) + (segments.size() + 1) * sizeof(Elf64_Phdr);
    whole.segments.insert(whole.segments.begin(),
                          {PT_NOTE, 0, notes_at, 0, 0, notes.size(), notes.size(), 0});
    if (whole.header.e_phnum == 0)
      whole.header.e_phnum = static_cast<Elf64_Half>(whole.segments.size());
    base::FileDescriptor file(memfd_create("core", MFD_CLOEXEC));
    const auto put = [&file](const void* from, std::size_t size) {
      EXPECT_EQ(::write(file.get(), from, size), static_cast<ssize_t>(size));
    };
    put(&whole.header, sizeof(header));
    put(whole.segments.data(), whole.segments.size() * sizeof(Elf64_Phdr));
    put(notes.data(), notes.size());
    return file;
  }
  base::Result<ElfCore> read() { return read_elf_core(write().get()); }
};

TEST(ElfCore, FindsWhereEachRangeOfRamIs) {
  Core core;
  core.load(0x10'0000, 0x4000, 0x2508);
  core.load(0, 0xa'0000, 0x8508);
  const auto read = core.read();
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->extents,
            (std::vector<ImageExtent>{{{GuestPhysical(0), 0xa'0000}, 0x8508},
                                      {{GuestPhysical(0x10'0000), 0x4000}, 0x2508}}));
}

TEST(ElfCore, KeepsTheNotesAsTheyAre) {
  Core core;
  core.note("CORE", NT_PRSTATUS, "registers");
  core.note("VMCOREINFO", 0, std::string("OSRELEASE=6.1\n\0", 15));
  core.note("QEMU", 0, "");
  const auto read = core.read();
  ASSERT_TRUE(read) << to_string(read.error());
  ASSERT_EQ(read->notes.size(), 3U);
  EXPECT_EQ(read->notes[0].name, "CORE");
  EXPECT_EQ(read->notes[0].type, std::uint32_t{NT_PRSTATUS});
  EXPECT_EQ(read->notes[0].content.size(), 9U);
  EXPECT_EQ(read->notes[1].name, "VMCOREINFO");
  EXPECT_EQ(std::memcmp(read->notes[1].content.data(), "OSRELEASE=6.1\n\0", 15), 0);
  EXPECT_TRUE(read->notes[2].content.empty());
}

TEST(ElfCore, AnOverlapBelongsToTheLowerSegment) {
  Core core;
  core.load(0x1000, 0x4000, 0x10000);
  core.load(0x3000, 0x4000, 0x20000);
  core.load(0x2000, 0x1000, 0x30000);
  const auto read = core.read();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->extents, (std::vector<ImageExtent>{{{GuestPhysical(0x1000), 0x4000}, 0x10000},
                                                     {{GuestPhysical(0x5000), 0x2000}, 0x22000}}));
}

TEST(ElfCore, LeavesOutWhatHasNoBytesOrNoPhysicalAddress) {
  Core core;
  core.load(0x1000, 0, 0x10000);
  core.load(~std::uint64_t{0}, 0x1000, 0x10000);
  const auto read = core.read();
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->extents.empty());
}

TEST(ElfCore, RefusesWhatIsNoCoreOfAnX86Guest) {
  const auto code_after = [](auto change) {
    Core core;
    change(core.header);
    return core.read().error().code;
  };
  using base::Code;
  EXPECT_EQ(code_after([](Elf64_Ehdr& h) { h.e_ident[0] = 'M'; }), Code::unsupported);
  EXPECT_EQ(code_after([](Elf64_Ehdr& h) { h.e_ident[EI_CLASS] = ELFCLASS32; }), Code::unsupported);
  EXPECT_EQ(code_after([](Elf64_Ehdr& h) { h.e_type = ET_EXEC; }), Code::unsupported);
  EXPECT_EQ(code_after([](Elf64_Ehdr& h) { h.e_machine = EM_AARCH64; }), Code::unsupported);
}

TEST(ElfCore, RefusesDamage) {
  const auto code_after = [](auto change) {
    Core core;
    core.load(0x1000, 0x1000, 0x1000);
    change(core);
    const auto read = core.read();
    return read ? std::string("accepted") : std::string(name(read.error().code));
  };
  const std::uint64_t huge = ~std::uint64_t{0} - 0xfff;
  EXPECT_EQ(code_after([](Core&) {}), "accepted");
  EXPECT_EQ(code_after([](Core& c) { c.header.e_phentsize = 32; }), "inconsistent");
  EXPECT_EQ(code_after([&](Core& c) { c.header.e_phoff = huge; }), "inconsistent");
  EXPECT_EQ(code_after([](Core& c) { c.header.e_phnum = 100; }), "inconsistent");
  EXPECT_EQ(code_after([&](Core& c) { c.segments[0].p_paddr = huge; }), "inconsistent");
  EXPECT_EQ(code_after([&](Core& c) { c.segments[0].p_filesz = huge; }), "inconsistent");
  EXPECT_EQ(code_after([&](Core& c) { c.segments[0].p_offset = huge; }), "inconsistent");
  EXPECT_EQ(code_after([](Core& c) { c.append({0xffff'fffe, 0, 0}); }), "inconsistent");
  EXPECT_EQ(code_after([](Core& c) { c.append({4, 0xffff'ffff, 0, 0}); }), "inconsistent");
  EXPECT_EQ(code_after([](Core& c) {
              c.segments.push_back({PT_NOTE, 0, 0, 0, 0, 17 << 20, 0, 0});
            }),
            "inconsistent");
}

TEST(ElfCore, TakesTheNumberOfSegmentsFromTheSectionHeaderWhereTheyAreMany) {
  Core core;
  core.load(0x1000, 0x1000, 0x1000);
  core.header.e_phnum = PN_XNUM;
  core.header.e_shoff = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  Elf64_Shdr section{};
  section.sh_info = 2;
  core.notes.assign(reinterpret_cast<const char*>(&section), sizeof(section));
  core.notes += std::string(12, '\0');
  const auto read = core.read();
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->extents.size(), 1U);
  section.sh_info = 1U << 30;
  core.notes.assign(reinterpret_cast<const char*>(&section), sizeof(section));
  EXPECT_FALSE(core.read());
}

}  // namespace
}  // namespace vitrine::memory
