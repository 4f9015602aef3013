#include "vitrine/images/evidence.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "vitrine/base/json.h"
#include "vitrine/images/bytes.h"
#include "vitrine/images/sha256.h"
#include "vitrine/memory/file_bytes.h"

namespace vitrine::images {
namespace {

using base::Code;
using base::fail;
using base::GuestPhysical;
using base::GuestVirtual;
using base::Json;

constexpr std::uint32_t kEvidenceVersion = 1;
constexpr std::size_t kHeader = 72;
constexpr std::size_t kDigest = 32;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
constexpr std::size_t kMostRanges = 65536;
constexpr std::uint64_t kPieceEntry = 16;

tl::unexpected<base::Error> damaged(const std::string& what) {
  return fail(Code::inconsistent, "the evidence file " + what, "take it from another copy");
}

Json map_json(const paging::LinearMap& map) {
  return {map.start.value, map.size, map.physical.value};
}

paging::LinearMap parse_map(const Json& value) {
  return {GuestVirtual(value.at(0).get<std::uint64_t>()), value.at(1).get<std::uint64_t>(),
          GuestPhysical(value.at(2).get<std::uint64_t>())};
}

std::vector<std::uint8_t> profile_of(const Evidence& evidence) {
  Json ram = Json::array();
  for (const memory::Range& range : evidence.ram) ram.push_back({range.start.value, range.size});
  return Json::to_cbor({{"about", evidence.about},
                        {"vmcoreinfo", evidence.vmcoreinfo},
                        {"note", evidence.note.value},
                        {"anchored", evidence.anchored},
                        {"paging", std::string(evidence.space.format->name)},
                        {"root", evidence.space.root.value},
                        {"direct", map_json(evidence.space.direct)},
                        {"image", map_json(evidence.space.image)},
                        {"answers", evidence.answers},
                        {"ram", std::move(ram)}});
}

// Throws Json::exception where something is missing or of another type.
void parse_profile(const Json& profile, Evidence& evidence) {
  using Texts = std::map<std::string, std::string>;
  evidence.about = profile.at("about").get<Texts>();
  evidence.vmcoreinfo = profile.at("vmcoreinfo").get<std::string>();
  evidence.note = GuestPhysical(profile.at("note").get<std::uint64_t>());
  evidence.anchored = profile.at("anchored").get<bool>();
  evidence.space.format = paging::find_format(profile.at("paging").get<std::string>());
  evidence.space.root = GuestPhysical(profile.at("root").get<std::uint64_t>());
  evidence.space.direct = parse_map(profile.at("direct"));
  evidence.space.image = parse_map(profile.at("image"));
  evidence.answers = profile.at("answers").get<Texts>();
  for (const Json& range : profile.at("ram")) {
    if (evidence.ram.size() == kMostRanges) return;
    evidence.ram.push_back(
        {GuestPhysical(range.at(0).get<std::uint64_t>()), range.at(1).get<std::uint64_t>()});
  }
}

// Sorted, disjoint, and none that wraps.
bool holds_together(std::span<const memory::Range> ranges) {
  std::uint64_t free_from = 0;
  return std::ranges::all_of(ranges, [&free_from](const memory::Range& range) {
    const std::uint64_t start = range.start.value;
    const bool fits = start >= free_from && range.size != 0 && start + range.size > start;
    free_from = start + range.size;
    return fits;
  });
}

std::uint64_t number(std::span<const std::byte> bytes, std::size_t offset) {
  std::uint64_t value = 0;
  std::memcpy(&value, &bytes[offset], sizeof value);
  return value;
}

std::string digest_of(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Bytes digits_to_bytes(const std::string& digits) {
  Bytes bytes(kDigest);
  for (std::size_t i = 0; i < kDigest && 2 * i + 1 < digits.size(); ++i)
    bytes.put(i, static_cast<std::uint8_t>(std::stoul(digits.substr(2 * i, 2), nullptr, 16)));
  return bytes;
}

base::Result<void> parse_pieces(std::span<const std::byte> table, std::span<const std::byte> bytes,
                                memory::SparseBytes& to) {
  std::uint64_t free_from = 0;
  for (std::size_t at = 0; at + kPieceEntry <= table.size(); at += kPieceEntry) {
    const std::uint64_t address = number(table, at);
    const std::uint64_t size = number(table, at + 8);
    if (address < free_from || size > bytes.size() || address + size < address)
      return damaged("has pieces that contradict each other");
    to.put(GuestPhysical(address), bytes.first(size));
    bytes = bytes.subspan(size);
    free_from = address + size;
  }
  return {};
}

// The header's numbers, and where the parts of what follows it are.
struct Parts {
  std::uint64_t profile = 0;
  std::uint64_t table = 0;
};

base::Result<Parts> check_header(std::span<const std::byte> header,
                                 std::span<const std::byte> rest) {
  std::uint32_t version = 0;
  std::memcpy(&version, &header[kEvidenceMagic.size()], sizeof version);
  if (version != kEvidenceVersion)
    return fail(Code::unsupported, "the evidence file has version " + std::to_string(version),
                "use a newer vitrine");
  if (number(header, kEvidenceMagic.size()) != kEvidenceVersion)
    return damaged("has an unknown header");
  const std::uint64_t profile = number(header, 24);
  const std::uint64_t pieces = number(header, 32);
  if (profile > rest.size() || pieces > (rest.size() - profile) / kPieceEntry)
    return damaged("is truncated");
  const Bytes digest = digits_to_bytes(digest_of(rest));
  if (!std::ranges::equal(digest.span(), header.subspan(kHeader - kDigest, kDigest)))
    return damaged("was changed or damaged: its SHA-256 is another");
  return Parts{profile, pieces * kPieceEntry};
}

}  // namespace

std::string Evidence::told(const std::string& what) const {
  const auto found = about.find(what);
  return found == about.end() ? std::string() : found->second;
}

Evidence make_evidence(const kernel::Kernel& kernel, const memory::RecordingMemory& memory) {
  return {.about = {},
          .vmcoreinfo = kernel.vmcoreinfo.text(),
          .note = kernel.note,
          .anchored = kernel.anchored,
          .space = kernel.space,
          .answers = kernel.answers->all(),
          .ram = {memory.ram().begin(), memory.ram().end()},
          .bytes = memory.recorded()};
}

base::Result<std::string> write_evidence(const Evidence& evidence, OutputFile& file) {
  const std::vector<std::uint8_t> profile = profile_of(evidence);
  const auto pieces = evidence.bytes.pieces();
  Bytes rest;
  rest.append(std::as_bytes(std::span(profile)));
  for (const auto& piece : pieces) {
    const std::array<std::uint64_t, 2> entry{piece.at.value, piece.bytes.size()};
    rest.append(std::as_bytes(std::span(entry)));
  }
  for (const auto& piece : pieces) rest.append(piece.bytes);
  const std::string digest = digest_of(rest.span());
  if (digest.empty()) return fail(Code::unsupported, "OpenSSL offers no SHA-256 on this host");
  Bytes header(kHeader);
  header.put(0, kEvidenceMagic);
  header.put(kEvidenceMagic.size(), kEvidenceVersion);
  header.put(24, std::uint64_t{profile.size()});
  header.put(32, std::uint64_t{pieces.size()});
  header.put(kHeader - kDigest, digits_to_bytes(digest).span());
  if (auto written = file.write(0, header.span()); !written) return fail(written.error());
  if (auto written = file.write(kHeader, rest.span()); !written) return fail(written.error());
  return digest;
}

base::Result<Evidence> read_evidence(int file) {
  const auto size = memory::file_size(file, "evidence file");
  if (!size) return fail(size.error());
  if (*size < kHeader || *size > kMostBytes) return damaged("is truncated or far too large");
  std::vector<std::byte> content(*size);
  if (auto read = memory::read_exactly(file, 0, content, "evidence file"); !read)
    return fail(read.error());
  const auto header = std::span<const std::byte>(content).first(kHeader);
  const auto rest = std::span<const std::byte>(content).subspan(kHeader);
  const auto parts = check_header(header, rest);
  if (!parts) return fail(parts.error());
  Evidence evidence;
  const auto text = rest.first(parts->profile);
  const auto* begin = reinterpret_cast<const std::uint8_t*>(text.data());
  try {
    // Sizes beyond all memory are thrown even where it is told to throw nothing.
    parse_profile(Json::from_cbor(begin, begin + text.size(), true, false), evidence);
  } catch (const Json::exception&) {
    return damaged("has a profile that makes no sense");
  }
  if (evidence.space.format == nullptr) return damaged("names page tables that are not known");
  if (!holds_together(evidence.ram)) return damaged("has RAM that makes no sense");
  const auto pieces = parse_pieces(rest.subspan(parts->profile, parts->table),
                                   rest.subspan(parts->profile + parts->table), evidence.bytes);
  if (!pieces) return fail(pieces.error());
  return evidence;
}

base::Result<kernel::Kernel> kernel_of(const Evidence& evidence, memory::PhysicalMemory& memory) {
  auto info = kernel::Vmcoreinfo::parse(evidence.vmcoreinfo);
  const auto text = info ? info->symbol("_stext") : std::nullopt;
  if (!text) return damaged("does not tell which kernel it is of");
  const auto architecture = paging::is_x86(*evidence.space.format) ? kernel::Architecture::x86_64
                                                                   : kernel::Architecture::arm64;
  auto tables = std::make_shared<kernel::Tables>(memory, architecture, evidence.space, *info);
  auto answers = std::make_shared<kernel::Answers>(evidence.answers);
  kernel::Kernel kernel{.architecture = architecture,
                        .release = std::string(info->release()),
                        .build_id = std::nullopt,
                        .vmcoreinfo = *info,
                        .note = evidence.note,
                        .symbols = kernel::SymbolLookup(tables, answers, *text),
                        .types = kernel::TypeLookup(tables, answers),
                        .answers = answers,
                        .space = evidence.space,
                        .anchored = evidence.anchored,
                        .findings = {}};
  if (const auto id = info->build_id()) kernel.build_id = std::string(*id);
  kernel.findings.push_back({"release", kernel.release, "as it was recorded"});
  if (kernel.build_id)
    kernel.findings.push_back({"build_id", *kernel.build_id, "as it was recorded"});
  return kernel;
}

}  // namespace vitrine::images
