#include "vitrine/techniques/kcore_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>

#include "vitrine/base/base64.h"
#include "vitrine/base/json.h"
#include "vitrine/vmm/agent_commands.h"
#include "vitrine/vmm/agent_port.h"

namespace vitrine::techniques {
namespace {

using base::Code;
using base::fail;
using base::Json;
using base::kPage;

constexpr std::array<std::string_view, 4> kNeeded{"guest-file-open", "guest-file-seek",
                                                  "guest-file-read", "guest-file-close"};

vmm::AgentCommand seek_to(std::int64_t handle, std::uint64_t offset) {
  return {"guest-file-seek",
          fmt::format(R"({{"handle":{},"offset":{},"whence":"set"}})", handle, offset)};
}

vmm::AgentCommand read_some(std::int64_t handle, std::size_t size) {
  return {"guest-file-read", fmt::format(R"({{"handle":{},"count":{}}})", handle, size)};
}

bool is_at(const base::Result<std::string>& answer, std::uint64_t offset) {
  const Json position = answer ? base::parse_json(*answer) : Json();
  return position.is_object() && position.value("position", Json()) == offset;
}

// The bytes that a read returned; how many there were, or nothing.
std::optional<std::size_t> take(const base::Result<std::string>& answer,
                                std::span<std::byte> into) {
  const Json read = answer ? base::parse_json(*answer) : Json();
  if (!read.is_object()) return std::nullopt;
  const auto text = read.find("buf-b64");
  if (text == read.end() || !text->is_string()) return std::nullopt;
  return base::decode_base64(text->get_ref<const std::string&>(), into);
}

// A short text file of the guest's; nothing where it cannot be read.
std::optional<std::string> read_text(vmm::AgentIntervention& guest, std::string_view path) {
  const auto handle = guest.open(path);
  if (!handle) return std::nullopt;
  std::string text(kPage, '\0');
  const auto size = take(guest.agent().execute(read_some(*handle, text.size())),
                         std::as_writable_bytes(std::span(text)));
  (void)guest.close(*handle);
  if (!size) return std::nullopt;
  text.resize(*size);
  return text;
}

// What the guest's refusal to open /proc/kcore means.
base::Error explain(base::Error error, vmm::AgentIntervention& guest) {
  if (error.code == Code::absent)
    return {Code::unsupported, "the guest's kernel has no /proc/kcore",
            "it needs CONFIG_PROC_KCORE, and procfs mounted where the agent runs"};
  if (error.code != Code::denied) return error;
  const auto lockdown = read_text(guest, "/sys/kernel/security/lockdown");
  if (lockdown && lockdown->find("[confidentiality]") != std::string::npos)
    return {Code::denied, "the guest's kernel is locked down and shows its memory to nobody",
            "boot it without lockdown=confidentiality"};
  return {Code::denied, "the guest agent may not read /proc/kcore in the guest",
          "run qemu-ga as root with CAP_SYS_RAWIO; SELinux or a sandbox of the service may forbid "
          "it, too"};
}

}  // namespace

base::Result<std::unique_ptr<KcoreFile>> KcoreFile::open(const vmm::Machine& machine) {
  auto agent = vmm::open_agent(machine);
  if (!agent) return fail(agent.error());
  return open(std::move(*agent));
}

base::Result<std::unique_ptr<KcoreFile>> KcoreFile::open(vmm::GuestAgent agent) {
  if (auto allowed = vmm::require_commands(agent, kNeeded); !allowed) return fail(allowed.error());
  auto intervention = vmm::AgentIntervention::begin(std::move(agent));
  if (!intervention) return fail(intervention.error());
  std::unique_ptr<KcoreFile> file(new KcoreFile(std::move(*intervention)));
  vmm::AgentIntervention& guest = *file->intervention_;
  auto handle = guest.open("/proc/kcore");
  if (!handle) return fail(explain(handle.error(), guest));
  file->handle_ = *handle;
  if (auto done = file->read_headers(); !done) return fail(done.error());
  if (auto done = file->verify(); !done) return fail(done.error());
  return file;
}

base::Result<void> KcoreFile::read_headers() {
  const auto refused = [this] {
    return fail(
        explain({Code::denied, "the guest agent could not read /proc/kcore"}, *intervention_));
  };
  std::vector<std::byte> bytes(kPage);
  Piece piece{0, bytes};
  if (auto done = read(std::span(&piece, 1)); !done) return done;
  if (!piece.ok) return refused();
  auto size = kcore_headers_size(bytes);
  if (!size) return fail(size.error());
  bytes.resize((*size + kPage - 1) / kPage * kPage);
  for (std::size_t at = kPage; at < bytes.size(); at += piece.into.size()) {
    const std::size_t length = std::min(kMostPerPiece, bytes.size() - at);
    piece = {at, std::span(bytes).subspan(at, length)};
    if (auto done = read(std::span(&piece, 1)); !done) return done;
    if (!piece.ok) return refused();
  }
  auto kcore = parse_kcore(bytes);
  if (!kcore) return fail(kcore.error());
  kcore_ = std::move(*kcore);
  return {};
}

// "0x000000000131c000 1024" (kernel/ksysfs.c, vmcoreinfo_show).
std::optional<base::GuestPhysical> KcoreFile::told_note() {
  const auto text = read_text(*intervention_, "/sys/kernel/vmcoreinfo");
  if (!text || !text->starts_with("0x")) return std::nullopt;
  std::uint64_t address = 0;
  const auto parsed = std::from_chars(text->data() + 2, text->data() + text->size(), address, 16);
  if (parsed.ec != std::errc{}) return std::nullopt;
  return base::GuestPhysical(address);
}

// The kernel says in two places where its VMCOREINFO note is: what the file has at the address in
// /sys/kernel/vmcoreinfo has to be that note.
base::Result<void> KcoreFile::verify() {
  const auto note = told_note();
  if (!note && !kcore_.derived) return {};
  const auto found = std::ranges::find_if(kcore_.segments, [&note](const KcoreSegment& segment) {
    return note && segment.physical.contains(*note, 1);
  });
  std::vector<std::byte> bytes(kPage);
  bool confirmed = false;
  if (found != kcore_.segments.end()) {
    const std::uint64_t within = *note - found->physical.start;
    Piece piece{found->offset + within / kPage * kPage, bytes};
    if (auto done = read(std::span(&piece, 1)); !done) return done;
    constexpr std::string_view kName = "VMCOREINFO";
    constexpr std::size_t kNameAt = 12;  // behind the ELF note's header
    const std::size_t at = within % kPage + kNameAt;
    confirmed = piece.ok && at + kName.size() <= bytes.size() &&
                std::memcmp(bytes.data() + at, kName.data(), kName.size()) == 0;
  }
  if (confirmed) return {};
  if (kcore_.derived)
    return fail(Code::unsupported,
                "this guest's /proc/kcore does not say where its memory is, and what can be "
                "derived is not confirmed",
                "use another technique, or a guest kernel of 4.19 or later");
  return fail(Code::inconsistent,
              "the guest's /proc/kcore does not show the memory that it says it shows");
  return {};
}

base::Result<void> KcoreFile::read(std::span<Piece> pieces) {
  std::vector<vmm::AgentCommand> commands;
  commands.reserve(pieces.size() * 2);
  for (Piece& piece : pieces) {
    piece.ok = false;
    commands.push_back(seek_to(handle_, piece.offset));
    commands.push_back(read_some(handle_, piece.into.size()));
  }
  bool in_place = false;
  return intervention_->agent().execute_all(
      commands, [&](std::size_t index, const base::Result<std::string>& answer) {
        Piece& piece = pieces[index / 2];
        if (index % 2 == 0)
          in_place = is_at(answer, piece.offset);
        else
          piece.ok = in_place && take(answer, piece.into) == piece.into.size();
      });
}

base::Result<void> KcoreFile::resynchronize() {
  auto former = intervention_->agent().resynchronize();
  if (!former) return fail(former.error());
  return {};
}

}  // namespace vitrine::techniques
