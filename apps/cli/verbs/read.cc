#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "apps/cli/json_text.h"
#include "apps/cli/place.h"
#include "apps/cli/verbs/tool.h"
#include "vitrine/images/output_file.h"

namespace vitrine::cli {
namespace {

using Json = nlohmann::ordered_json;
using base::Code;
using base::kPage;

constexpr std::uint64_t kMostShown = 16 << 20;
constexpr std::uint64_t kMostSaved = std::uint64_t{1} << 30;
constexpr std::size_t kLine = 16;

struct ReadArguments {
  Target target;
  std::string address;
  std::string length = "64";
  std::string output;
  bool force = false;
};

// A part of what was read that lies in one page.
struct Piece {
  std::uint64_t address = 0;
  std::vector<std::byte> bytes;
  std::optional<base::Error> error;
};

base::Result<void> fetch(Tool& tool, memory::PhysicalMemory& memory, bool physical, Piece& piece) {
  if (!physical) return tool.walked(memory).read(base::GuestVirtual(piece.address), piece.bytes);
  const auto status = memory.read(base::GuestPhysical(piece.address), piece.bytes);
  if (status == memory::ReadStatus::ok) return {};
  return base::fail(paging::error_of(paging::fault_of(status), base::GuestVirtual(piece.address)));
}

std::vector<Piece> read_all(Tool& tool, memory::PhysicalMemory& memory, Place place,
                            std::uint64_t length) {
  std::vector<Piece> pieces;
  for (std::uint64_t done = 0; done < length;) {
    Piece piece;
    piece.address = place.address + done;
    piece.bytes.resize(std::min(length - done, kPage - piece.address % kPage));
    if (auto read = fetch(tool, memory, place.physical, piece); !read) piece.error = read.error();
    done += piece.bytes.size();
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

std::string hex_digits(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

// "ADDRESS  16 bytes in hexadecimal  |as text|", as hexdump -C, from lines that begin with a
// multiple of 16.
std::string dump(const Piece& piece) {
  if (piece.error)
    return fmt::format("{:016x}  {} bytes are not there: {}\n", piece.address, piece.bytes.size(),
                       piece.error->message);
  std::string text;
  for (std::size_t at = 0; at < piece.bytes.size();) {
    const std::uint64_t address = piece.address + at;
    const std::size_t skipped = address % kLine;
    const std::size_t count = std::min(kLine - skipped, piece.bytes.size() - at);
    std::string hex(3 * skipped, ' ');
    std::string shown(skipped, ' ');
    for (std::size_t i = 0; i < count; ++i) {
      const auto byte = std::to_integer<unsigned char>(piece.bytes[at + i]);
      hex += fmt::format("{:02x} ", byte);
      shown += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '.';
    }
    text += fmt::format("{:016x}  {:<48} |{}|\n", address - skipped, hex, shown);
    at += count;
  }
  return text;
}

Json pieces_json(std::span<const Piece> pieces) {
  Json list = Json::array();
  for (const Piece& piece : pieces) {
    Json one = {{"address", base::to_hex(piece.address)},
                {"length", piece.bytes.size()},
                {"bytes", piece.error ? Json() : Json(hex_digits(piece.bytes))}};
    if (piece.error)
      one["error"] = {{"code", std::string(base::name(piece.error->code))},
                      {"message", piece.error->message}};
    list.push_back(std::move(one));
  }
  return list;
}

// What is not there stays a hole and reads as zeros.
base::Result<void> save(const ReadArguments& arguments, std::span<const Piece> pieces,
                        std::uint64_t length) {
  using images::OutputFile;
  auto file = OutputFile::create(arguments.output, arguments.force ? OutputFile::Existing::replace
                                                                   : OutputFile::Existing::keep);
  if (!file) return base::fail(file.error());
  if (auto sized = file->set_size(length); !sized) return sized;
  for (const Piece& piece : pieces) {
    if (piece.error) continue;
    if (auto written = file->write(piece.address - pieces.front().address, piece.bytes); !written)
      return written;
  }
  if (auto synced = file->sync(); !synced) return synced;
  return file->publish();
}

base::Result<std::uint64_t> parse_length(const ReadArguments& arguments) {
  const std::uint64_t most = arguments.output.empty() ? kMostShown : kMostSaved;
  const auto length = parse_number(arguments.length);
  if (length && *length > 0 && *length <= most) return *length;
  return base::fail(Code::invalid, "\"" + arguments.length + "\" is no length that can be read",
                    "give a number from 1 to " + std::to_string(most) +
                        (arguments.output.empty() ? "; with -o more can be saved" : ""));
}

Exit run_read(const ReadArguments& arguments) {
  const bool json = arguments.target.json;
  if (arguments.target.dry_run) return show_dry_run(arguments.target);
  const auto length = parse_length(arguments);
  if (!length) return report(length.error(), json);
  auto tool = Tool::open(arguments.target);
  if (!tool) return report(tool.error(), json);
  const auto place = parse_place(arguments.address, tool->kernel().symbols);
  if (!place) return report(place.error(), json);
  if (place->address + *length < place->address)
    return report({Code::invalid, "that reaches past the end of the address space", {}}, json);
  std::vector<Piece> pieces;
  auto looked = tool->look([&](memory::PhysicalMemory& memory) -> base::Result<void> {
    pieces = read_all(*tool, memory, *place, *length);
    return {};
  });
  if (!looked) return report(looked.error(), json);
  const auto missing =
      std::ranges::count_if(pieces, [](const Piece& piece) { return piece.error.has_value(); });
  if (static_cast<std::size_t>(missing) == pieces.size())
    return report(*pieces.front().error, json);
  if (missing > 0)
    tool->warn_about(std::to_string(missing) + " of " + std::to_string(pieces.size()) +
                     " pages could not be read: " +
                     base::to_string(*std::ranges::find_if(pieces, [](const Piece& piece) {
                                        return piece.error.has_value();
                                      })->error));
  Json answer = {{"address", base::to_hex(place->address)},
                 {"space", place->physical ? "physical" : "virtual"},
                 {"length", *length}};
  std::string text;
  if (!arguments.output.empty()) {
    if (auto saved = save(arguments, pieces, *length); !saved) return report(saved.error(), json);
    answer["file"] = arguments.output;
  } else if (json) {
    answer["pieces"] = pieces_json(pieces);
  } else {
    for (const Piece& piece : pieces) text += dump(piece);
  }
  return tool->answer(text, "read", std::move(answer),
                      missing > 0 ? Exit::partial : Exit::complete);
}

}  // namespace

Verb add_read(CommandLine& line) {
  Command command = line.verb("read", "Show or save bytes of the guest's memory");
  auto arguments = std::make_shared<ReadArguments>();
  arguments->target.add_to(command);
  arguments->target.add_pause_to(command);
  command
      .option("ADDRESS", arguments->address,
              "Where: guest-virtual 0xffff…, guest-physical phys:0x1000, or a symbol, e.g. "
              "linux_banner or init_task+0x10")
      .required();
  command.option("LENGTH", arguments->length, "How many bytes, e.g. 64, 0x100, 4K");
  command.option("-o,--output", arguments->output, "Save them to this file instead").of("FILE");
  command.flag("--force", arguments->force, "Replace a file that exists");
  return {command, [arguments] { return run_read(*arguments); }};
}

}  // namespace vitrine::cli
