#include "vitrine/survey/study_source.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <optional>

#include "vitrine/survey/shipped_survey.h"
#include "vitrine/survey/study_file.h"
#include "vitrine/survey/study_from_json.h"

namespace vitrine::survey {
namespace {

using base::Code;

constexpr std::size_t kMostBytes = 256 << 20;

base::Result<Study> read_json(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::fail(Code::unreadable, "it cannot be opened");
  std::string text;
  std::string part(1 << 20, '\0');
  while (file.read(part.data(), static_cast<std::streamsize>(part.size())) || file.gcount() > 0) {
    text.append(part, 0, static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMostBytes) return base::fail(Code::unsupported, "it is larger than 256 MiB");
  }
  return study_from_json(text);
}

std::optional<std::int64_t> last_run(const Study& study) {
  std::optional<std::int64_t> last;
  for (const Measured& measured : study.cells)
    for (const Run& run : measured.runs)
      last = std::max(last.value_or(run.started_unix_ns), run.started_unix_ns);
  return last;
}

}  // namespace

base::Result<Study> read_study(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::path file =
      std::filesystem::is_directory(path, ignored) ? path / kStudyFileName : path;
  if (!std::filesystem::exists(file, ignored))
    return base::fail(Code::absent, "there is no survey at " + path.string(),
                      "name the folder, the .sqlite or the .json of one; vitrine survey makes it");
  auto study = file.extension() == ".json" ? read_json(file) : load_study(file.string());
  if (!study) return base::fail(base::about(file.string(), study.error()));
  return study;
}

base::Result<Study> study_or_shipped(const std::filesystem::path& path) {
  if (!path.empty()) return read_study(path);
  if (shipped_survey().empty())
    return base::fail(Code::absent, "this vitrine has no survey built in",
                      "make one, vitrine survey --vm VM --quick --output DIR, and name it");
  return study_from_json(shipped_survey());
}

std::string origin_text(const Study& study) {
  const auto fact = [&study](std::string_view name) {
    const auto found = study.facts.find(name);
    return found == study.facts.end() || found->second.empty() ? std::string("unknown")
                                                               : found->second;
  };
  const auto last = last_run(study);
  return fmt::format("host kernel {}, QEMU {}, accelerator {}, {}", fact("host_kernel"),
                     fact("qemu_version"), fact("accelerator"),
                     last ? fmt::format("{:%Y-%m-%d}", fmt::gmtime(*last / 1'000'000'000))
                          : std::string("nothing run"));
}

}  // namespace vitrine::survey
