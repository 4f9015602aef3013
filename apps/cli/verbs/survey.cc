#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "apps/cli/interruption.h"
#include "apps/cli/json.h"
#include "apps/cli/survey_text.h"
#include "apps/cli/verbs/verb.h"
#include "vitrine/host/proc_root.h"
#include "vitrine/survey/environment.h"
#include "vitrine/survey/plan.h"
#include "vitrine/survey/report.h"
#include "vitrine/survey/study_file.h"
#include "vitrine/survey/study_json.h"
#include "vitrine/survey/vm_measurer.h"
#include "vitrine/views/registry.h"

namespace vitrine::cli {
namespace {

using std::chrono::nanoseconds;
using survey::Study;

// Between two lines of progress where there is no terminal.
constexpr std::chrono::seconds kLineInterval{15};

struct SurveyArguments {
  std::string vm;
  std::string folder;
  bool quick = false;
  bool flat_out = false;
  bool json = false;
  double seconds = 0;   // 0: as quick says
  unsigned rounds = 0;  // 0: as quick says
  std::vector<std::string> views;

  nanoseconds shortest() const {
    return std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(seconds > 0
                                                                                     ? seconds
                                                                                 : quick ? 0.5
                                                                                         : 2));
  }
  survey::Limits limits() const {
    survey::Limits limits;
    limits.most = rounds > 0 ? rounds : quick ? 5 : 9;
    limits.fewest = std::min<std::size_t>(limits.fewest, limits.most);
    limits.time = quick ? std::chrono::minutes(3) : std::chrono::minutes(20);
    return limits;
  }
};

base::Result<std::vector<std::string>> view_names(const SurveyArguments& arguments) {
  std::vector<std::string> asked = arguments.views;
  if (asked.empty()) asked = {"ps"};
  if (arguments.views.empty() && !arguments.quick) asked = {"ps", "lsof", "ss", "dmesg"};
  std::vector<std::string> names;
  for (const std::string& view : asked) {
    auto declaration = views::find(view);
    if (!declaration) return base::fail(declaration.error());
    std::string name((*declaration)->name);
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

std::string now_text() { return rfc3339(std::chrono::system_clock::now()); }

// What is to be surveyed: all of it but the runs.
struct Plan {
  Study study;
  std::string boot;  // see survey::boot_identity
};

// Of which VM as of which boot, and what is to be done to it.
std::string plan_text(const vmm::Machine& machine, const Plan& plan,
                      const SurveyArguments& arguments, const std::vector<std::string>& views) {
  std::string names;
  for (const std::string& view : views) names += (names.empty() ? "" : ", ") + view;
  auto host_boot = host::read_file("/proc/sys/kernel/random/boot_id").value_or("unknown");
  return fmt::format(
      "VM {} (process {}, started at tick {} of host boot {}), kernel {}; {}; {:g} s a run, at "
      "most "
      "{} of each{}{}; Vitrine " VITRINE_VERSION,
      plan.study.guests.front().name, machine.process.pid, machine.process.start_time,
      host_boot.substr(0, host_boot.find('-')), plan.boot, names,
      std::chrono::duration<double>(arguments.shortest()).count(), arguments.limits().most,
      arguments.quick ? ", quick" : "", arguments.flat_out ? ", flat out" : "");
}

base::Result<Plan> make_plan(const vmm::Machine& machine, const SurveyArguments& arguments) {
  const auto views = view_names(arguments);
  if (!views) return base::fail(views.error());
  Plan plan;
  plan.study.facts = survey::environment_of(machine);
  auto session = session::Session::open(session::Source(machine), {});
  if (!session) return base::fail(session.error());
  auto guest = survey::look_at_guest(**session);
  if (!guest) return base::fail(guest.error());
  std::vector<survey::Candidate> candidates;
  for (const techniques::Technique* technique : techniques::all())
    candidates.push_back(
        {&technique->description(), technique->usable(machine, (*session)->layout())});
  plan.boot = survey::boot_identity((*session)->kernel());
  plan.study.cells =
      survey::plan_cells(guest->name, candidates, *views,
                         arguments.flat_out ? survey::Paces::flat_out : survey::Paces::all);
  plan.study.guests.push_back(std::move(*guest));
  plan.study.facts["vitrine_version"] = VITRINE_VERSION;
  plan.study.facts["started"] = now_text();
  plan.study.facts[std::string(survey::kPlanFact)] = plan_text(machine, plan, arguments, *views);
  return plan;
}

// Tells how far it is: a line that is overwritten on a terminal, else a line now and then.
class Teller {
 public:
  explicit Teller(bool quiet) : quiet_(quiet) {}

  void tell(const survey::Progress& progress) {
    const std::string text = "survey, " + survey_progress(progress);
    if (terminal_.cursor) return line_.show(text);
    const auto now = std::chrono::steady_clock::now();
    if (quiet_ || (last_ && now - *last_ < kLineInterval)) return;
    last_ = now;
    (void)write_fully(STDERR_FILENO, "vitrine: " + text + "\n");
  }

 private:
  bool quiet_;
  Terminal terminal_ = inspect(STDERR_FILENO);
  Progress line_{STDERR_FILENO, terminal_};
  std::optional<std::chrono::steady_clock::time_point> last_;
};

// What else is in the folder: for those who want no database, and for those who want to look.
base::Result<void> write_exports(const Study& study, const std::filesystem::path& folder) {
  const auto write = [&folder](const char* name, const std::string& text) -> base::Result<void> {
    std::ofstream stream(folder / name, std::ios::binary | std::ios::trunc);
    if (!(stream << text).flush())
      return base::fail(base::Code::unreadable, (folder / name).string() + " can't be written",
                        "survey.sqlite has it all: make room and run the same command again");
    return {};
  };
  if (auto done = write("survey.json", survey::study_json(study)); !done) return done;
  if (auto done = write("survey.csv", survey::study_csv(study)); !done) return done;
  const auto page = survey::report_page(study);
  if (page) return write("report.html", *page);
  warn({"there is no report.html: " + page.error().message});
  return {};
}

base::Result<void> keep_end(survey::StudyFile& file, const std::optional<survey::HostLoad>& before,
                            std::vector<std::string>& warnings) {
  const auto after = survey::host_load();
  if (before && after) {
    for (std::string& text : survey::disturbances(*before, *after, file.study()))
      warnings.push_back(std::move(text));
    const std::array facts{
        std::pair{"load_begin", fmt::format("{:.2f}", before->average)},
        std::pair{"load_end", fmt::format("{:.2f}", after->average)},
        std::pair{"load_stolen_share", fmt::format("{:.4f}", stolen_share(*before, *after))}};
    for (const auto& [name, value] : facts)
      if (auto set = file.set_fact(name, value); !set) return set;
  }
  std::string noise;
  for (const std::string& warning : warnings) noise += (noise.empty() ? "" : "; ") + warning;
  if (auto set = file.set_fact("load_noise", noise.empty() ? "none noticed" : noise); !set)
    return set;
  return file.set_fact("ended", now_text());
}

// Whether anything of the plan has no figures that should have some.
bool is_whole(const Study& study) {
  return std::ranges::none_of(study.cells, [](const survey::Measured& each) {
    return each.runs.empty() || std::ranges::all_of(each.runs, [](const survey::Run& run) {
             return run.state == survey::State::failed;
           });
  });
}

// Runs what is left, tells how far it is, and keeps how the host was meanwhile.
base::Result<survey::Ended> run_rest(survey::StudyFile& file, survey::Measurer& measurer,
                                     const SurveyArguments& arguments) {
  const auto before = survey::host_load();
  std::vector<std::string> warnings;
  if (before) warnings = survey::disturbances(*before, std::thread::hardware_concurrency());
  warn(warnings);
  const std::size_t told = warnings.size();
  bool any = false;
  auto ended = [&] {
    const Interruption interruption;
    Teller teller(arguments.json);
    return survey::run_survey(file, measurer, arguments.limits(), [&](const auto& progress) {
      if (interruption.wished()) return false;
      teller.tell(progress);
      return any = true;
    });
  }();
  if (!any) return ended;
  if (auto kept = keep_end(file, before, warnings); !kept) return base::fail(kept.error());
  warn({warnings.begin() + static_cast<std::ptrdiff_t>(told), warnings.end()});
  return ended;
}

Exit run_survey_verb(const SurveyArguments& arguments) {
  auto machine = find_machine(arguments.vm, "a survey");
  if (!machine) return report(machine.error(), arguments.json);
  auto plan = make_plan(*machine, arguments);
  if (!plan) return report(plan.error(), arguments.json);
  const std::filesystem::path folder(arguments.folder);
  std::error_code error;  // whoever opens the file tells it
  std::filesystem::create_directories(folder, error);
  auto file = survey::StudyFile::create_or_resume(folder / "survey.sqlite", plan->study);
  if (!file) return report(file.error(), arguments.json);
  survey::VmMeasurer measurer(*machine, plan->boot, arguments.shortest());
  const auto ended = run_rest(*file, measurer, arguments);
  const Study& study = file->study();
  Exit exit = is_whole(study) ? Exit::complete : Exit::partial;
  if (!ended)
    exit = worse(report(ended.error(), arguments.json), Exit::failed);
  else if (*ended == survey::Ended::interrupted)
    exit = Exit::partial;
  if (auto written = write_exports(study, folder); !written)
    return report(written.error(), arguments.json);
  if (exit == Exit::partial) warn({"the survey is not complete: the same command goes on with it"});
  return print(arguments.json ? survey::study_json(study) + "\n"
                              : survey_text(study, inspect(STDOUT_FILENO)),
               exit);
}

}  // namespace

Verb add_survey(CommandLine& line) {
  Command command =
      line.verb("survey", "Measure every way to look into a VM: how often, how fast, at what cost");
  auto arguments = std::make_shared<SurveyArguments>();
  command.option("--vm", arguments->vm, "The VM: process id, name or QMP socket").required();
  command.option("-o,--output", arguments->folder, "The folder that the survey is kept in")
      .required()
      .of("FOLDER");
  command.flag("--quick", arguments->quick, "The processes only, and few short runs: 5 minutes");
  command.flag("--flat-out", arguments->flat_out,
               "As often as possible only, not at 1, 10 and 100 Hz besides");
  command
      .option("--seconds", arguments->seconds,
              "How long a run observes, at least; else 2, or "
              "0.5 with --quick")
      .between(0.02, 3600.0);
  command
      .option("--rounds", arguments->rounds, "Runs of each way at most; else 9, or 5 with --quick")
      .between(1u, 1000u);
  command
      .option("--views", arguments->views,
              "The views to observe; else ps,lsof,ss,dmesg, or ps "
              "with --quick")
      .separated_by(',');
  command.flag("--json", arguments->json, "Print the survey as JSON");
  command.footer(
      "It uses techniques that stop or copy the guest, again and again; what changes a VM for good "
      "is never done. Ctrl-C ends it after the current run; the same command goes on with what is "
      "missing. docs/survey.md says what is measured, and how.");
  return {command, [arguments] { return run_survey_verb(*arguments); }};
}

}  // namespace vitrine::cli
