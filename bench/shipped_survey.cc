// Surveys guests of 1 GiB with about 150 tasks, one whose RAM can be mapped, one whose RAM is
// QEMU's default, and prints the two as one: the survey that is shipped
// (vitrine/survey/shipped_survey.json). usage: shipped_survey [OPTION-OF-vitrine-survey...]
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>

#include "tests/live/guest_agent.h"
#include "tests/live/vitrine_command.h"
#include "vitrine/survey/study_json.h"
#include "vitrine/survey/study_source.h"

namespace vitrine::bench {
namespace {

constexpr int kSleepers = 85;
constexpr std::chrono::minutes kLimit{60};

survey::Study study_of(const live::Guest& guest, const std::vector<std::string>& options) {
  const live::TemporaryFolder folder;
  std::vector<std::string> command{"survey", "--vm", guest.name(), "--output", folder.path()};
  command.insert(command.end(), options.begin(), options.end());
  const live::Finished finished = live::vitrine(command, kLimit);
  std::fprintf(stderr, "%s%s", finished.errors.c_str(), finished.output.c_str());
  auto study = survey::read_study(folder.path());
  if (!study) throw std::runtime_error(base::to_string(study.error()));
  return std::move(*study);
}

// What tells nothing to whoever reads it elsewhere is left out, and so are the steps of latency,
// which are most of it.
void add(survey::Study& all, survey::Study one) {
  one.facts.erase("plan");
  std::string& release = one.facts["host_kernel"];
  release = release.substr(0, release.find('-'));
  all.facts.merge(one.facts);
  all.facts["ended"] = one.facts["ended"];
  for (survey::Guest& guest : one.guests) all.guests.push_back(std::move(guest));
  for (survey::Measured& measured : one.cells) {
    for (survey::Run& run : measured.runs) run.latencies.clear();
    all.cells.push_back(std::move(measured));
  }
}

void measure(const std::vector<std::string>& options) {
  survey::Study all;
  {
    const live::Guest mapped(
        {.name = "shared-ram",
         .memory = "1024M",
         .sleepers = kSleepers,
         .arguments = {"-object", "memory-backend-memfd,share=on,id=ram,size=1024M", "-machine",
                       "memory-backend=ram"}});
    add(all, study_of(mapped, options));
  }
  live::Guest by_default(
      {.name = "default-ram", .memory = "1024M", .sleepers = kSleepers, .agent = true});
  live::start_agent(by_default);
  add(all, study_of(by_default, options));
  std::printf("%s\n", survey::study_json(all).c_str());
}

}  // namespace
}  // namespace vitrine::bench

int main(int count, char** arguments) {
  try {
    vitrine::bench::measure({arguments + 1, arguments + count});
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "shipped_survey: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
