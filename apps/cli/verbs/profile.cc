#include "vitrine/images/profile.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "apps/cli/format.h"
#include "apps/cli/json_text.h"
#include "apps/cli/verbs/tool.h"

namespace vitrine::cli {
namespace {

using images::OutputFile;
using images::ProfileFormat;
using images::ProfileReport;

struct ProfileArguments {
  Target target;
  std::string output;
  std::string format;
  bool relocated = false;
  bool force = false;
};

base::Result<images::ProfileRequest> request_of(const ProfileArguments& arguments) {
  std::optional<ProfileFormat> format;
  for (const ProfileFormat one : {ProfileFormat::isf, ProfileFormat::system_map})
    if (arguments.format == images::name(one)) format = one;
  const std::string file = std::filesystem::path(arguments.output).filename().string();
  if (!format) format = images::format_of_name(file);
  if (!format)
    return base::fail(base::Code::invalid, "the name " + file + " does not tell the format",
                      "give --format isf or --format system-map, or a name as in kernel.json, "
                      "kernel.map; nothing is compressed here");
  if (arguments.relocated && *format == ProfileFormat::isf)
    return base::fail(base::Code::invalid, "--relocated is of a System.map only",
                      "leave it out: Volatility finds out by itself where the kernel runs");
  return images::ProfileRequest{
      .format = *format, .relocated = arguments.relocated, .producer_version = VITRINE_VERSION};
}

std::string text_of(const ProfileArguments& arguments, const images::ProfileRequest& request,
                    const ProfileReport& profile) {
  const std::string what =
      request.format == ProfileFormat::isf
          ? fmt::format("{} symbols, {} structures and unions, {} enumerations", profile.symbols,
                        profile.user_types, profile.enums)
          : fmt::format("{} symbols", profile.symbols);
  const std::string addresses =
      request.relocated
          ? "as in the running kernel"
          : fmt::format("as linked, KASLR's {} taken off", base::to_hex(profile.kernel_offset));
  return fmt::format("{}: {}, {}, {}; addresses {}\nSHA-256 {}\n", arguments.output,
                     images::name(request.format), size_text(profile.bytes), what, addresses,
                     profile.sha256);
}

nlohmann::ordered_json json_of(const ProfileArguments& arguments,
                               const images::ProfileRequest& request,
                               const ProfileReport& profile) {
  nlohmann::ordered_json answer = {
      {"file", arguments.output},      {"format", std::string(images::name(request.format))},
      {"bytes", profile.bytes},        {"sha256", profile.sha256},
      {"symbols", profile.symbols},    {"kaslr_offset", base::to_hex(profile.kernel_offset)},
      {"relocated", request.relocated}};
  if (request.format == ProfileFormat::isf) {
    answer["user_types"] = profile.user_types;
    answer["enums"] = profile.enums;
  }
  return answer;
}

base::Result<void> publish(OutputFile& file) {
  if (auto synced = file.sync(); !synced) return synced;
  if (auto published = file.publish(); !published) return published;
  return file.sync_name();
}

Exit run_profile(const ProfileArguments& arguments) {
  const bool json = arguments.target.json;
  const auto request = request_of(arguments);
  if (!request) return report(request.error(), json);
  if (arguments.target.dry_run)
    return show_dry_run(arguments.target, {"the profile is written to " + arguments.output});
  auto file = OutputFile::create(arguments.output, arguments.force ? OutputFile::Existing::replace
                                                                   : OutputFile::Existing::keep);
  if (!file) return report(file.error(), json);
  auto tool = Tool::open(arguments.target);
  if (!tool) return report(tool.error(), json);
  ProfileReport profile;
  auto looked = tool->look([&](memory::PhysicalMemory& memory) -> base::Result<void> {
    auto written = images::write_profile(tool->kernel(), memory, *request, *file);
    if (!written) return base::fail(written.error());
    profile = std::move(*written);
    return {};
  });
  if (!looked) return report(looked.error(), json);
  if (auto published = publish(*file); !published) return report(published.error(), json);
  for (const std::string& missing : profile.missing) tool->warn_about(missing);
  return tool->answer(text_of(arguments, *request, profile), "profile",
                      json_of(arguments, *request, profile),
                      profile.missing.empty() ? Exit::complete : Exit::partial);
}

}  // namespace

Verb add_profile(CommandLine& line) {
  Command command =
      line.verb("profile", "Save what the guest's kernel says of itself, for other tools");
  auto arguments = std::make_shared<ProfileArguments>();
  arguments->target.add_to(command);
  arguments->target.add_pause_to(command);
  command.option("-o,--output", arguments->output, "The new file; its owner alone may read it")
      .required()
      .of("FILE");
  command
      .option("--format", arguments->format,
              "isf: types and symbols for Volatility 3, what NAME.json gets; system-map: symbols "
              "as nm lists them, what NAME.map gets")
      .one_of({"isf", "system-map"});
  // A System.map as built knows nothing of KASLR, and tools that take one find out by how much the
  // kernel was moved.
  command.flag("--relocated", arguments->relocated,
               "A System.map with addresses as in the running kernel; without it they are as the "
               "kernel was linked, KASLR's offset taken off, as other tools expect");
  command.flag("--force", arguments->force, "Replace a file that exists");
  return {command, [arguments] { return run_profile(*arguments); }};
}

}  // namespace vitrine::cli
