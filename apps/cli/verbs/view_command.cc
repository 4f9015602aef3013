#include "apps/cli/verbs/view_command.h"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include "apps/cli/column_index.h"
#include "apps/cli/escape.h"
#include "apps/cli/evidence_file.h"
#include "apps/cli/json.h"
#include "apps/cli/table.h"

namespace vitrine::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kRebootPatience{180};
constexpr std::chrono::seconds kSenselessPatience{30};
constexpr std::chrono::milliseconds kBetweenAttempts{500};

// All that are not on demand.
std::string columns_at_once(std::span<const views::Column> columns) {
  std::string names;
  for (const views::Column& column : columns)
    if (!column.on_demand) names += (names.empty() ? "" : ",") + std::string(column.name);
  return names;
}

// One attached view, shown as often as asked for.
class Show {
 public:
  Show(const ViewOptions& options, const ViewCommand& command)
      : options_(options), command_(command), terminal_(inspect(STDOUT_FILENO)) {}

  base::Result<void> attach() {
    if (!session_) {
      if (auto opened = open(); !opened) return opened;
    } else if (auto again = session_->reattach(); !again) {
      return base::fail(again.error());
    }
    view_.reset();  // it may hold what the new one needs
    auto view = command_.attach(*session_);
    if (!view) return base::fail(view.error());
    view_ = std::move(*view);
    shown_until_.reset();
    SelectionText text = options_.selection;
    chosen_ = !text.columns.empty();
    if (!chosen_ && !options_.target.json) text.columns = command_.table_columns;
    // What costs more is read of more places, which hardly ever hold still all together.
    if (text.columns.empty() && options_.target.demand().any())
      text.columns = columns_at_once(view_->columns());
    auto selection = parse_selection(text, view_->columns());
    if (!selection) return base::fail(selection.error());
    selection_ = std::move(*selection);
    view_->want(session_->kernel(), session_->memory(), columns_used(*selection_));
    return {};
  }

  base::Result<Exit> once() {
    auto observation =
        command_.observe ? command_.observe(*session_, *view_) : session_->observe(*view_);
    if (!observation) return base::fail(observation.error());
    stopped_the_guest_ = observation->stopped_ns > 0;
    if (auto recorded = record(*observation); !recorded) return base::fail(recorded.error());
    const bool may_be_empty = !command_.empty_means.empty() && observation->outcome.complete;
    // What was asked for is not there: the guest was read whole.
    if (view_->size() == 0 && !may_be_empty && observation->outcome.complete &&
        !observation->outcome.warnings.empty())
      return base::fail(base::Code::absent, observation->outcome.warnings.front());
    if (view_->size() == 0 && !may_be_empty)
      return base::fail(base::Code::inconsistent,
                        "the view of the guest came out empty" +
                            (observation->outcome.warnings.empty()
                                 ? std::string()
                                 : ": " + observation->outcome.warnings.front()),
                        "look again: the guest may be booting, or its memory damaged");
    std::vector<views::Row> rows;
    rows.reserve(view_->size());
    for (std::size_t i = 0; i < view_->size(); ++i) rows.push_back(view_->row(i));
    const bool follows = options_.watch > 0 && !command_.follows.empty();
    if (follows) {
      leave_new_rows(rows);
      if (!observation->outcome.complete) warn_once(observation->outcome.warnings);
      if (rows.empty()) return Exit::complete;
    }
    const consistency::Demand demand = options_.target.demand();
    const bool reached = consistency::reached(observation->consistency, demand);
    const Exit exit = observation->outcome.complete && reached ? Exit::complete : Exit::partial;
    std::vector<std::string> warnings = session_->warnings();
    if (!reached) warnings.push_back(not_reached(observation->consistency, demand));
    note_evidence(warnings);
    if (rows.empty()) warnings.emplace_back(command_.empty_means);
    warnings.insert(warnings.end(), observation->outcome.warnings.begin(),
                    observation->outcome.warnings.end());
    return options_.target.json ? show_json(*observation, std::move(rows), warnings, exit)
                                : show_table(std::move(rows), warnings, exit);
  }

  // Where the guest that was attached still runs.
  base::Result<Exit> once_more() {
    if (auto alive = session_->check_alive(); !alive) return base::fail(alive.error());
    return once();
  }
  base::Result<void> rest() { return session_->rest(); }
  // For what was shown last.
  bool stopped_the_guest() const { return stopped_the_guest_; }
  bool vmm_lives() const { return session_->source().lives(); }

 private:
  base::Result<void> open() {
    auto source = find_subject(options_.target.vm);
    if (!source) return base::fail(source.error());
    if (options_.watch > 0 && source->image() != nullptr)
      return base::fail(base::Code::invalid,
                        "a memory image does not change, so there is nothing to watch",
                        "leave --watch out");
    session::Options options = options_.target.options();
    if (!options_.record.empty()) {
      if (options_.watch > 0)
        return base::fail(base::Code::invalid, "--record keeps what one observation read",
                          "leave --watch out");
      auto file = images::OutputFile::create(options_.record, images::OutputFile::Existing::keep);
      if (!file && file.error().code == base::Code::invalid)
        return base::fail(base::Code::invalid, file.error().message,
                          "evidence is never replaced: name another file");
      if (!file) return base::fail(file.error());
      record_ = std::move(*file);
      options.record = true;
    }
    auto session = session::Session::open(std::move(*source), options);
    if (!session) return base::fail(session.error());
    session_ = std::move(*session);
    return {};
  }

  // Keeps what was read, where that was asked for.
  base::Result<void> record(const session::Observation& observation) {
    if (!record_) return {};
    return save_evidence(*session_, view_->name(), identity(*session_, options_.target.vm),
                         provenance_of(observation), *record_);
  }

  // An evidence file answers the view that it was recorded for.
  void note_evidence(std::vector<std::string>& warnings) const {
    const images::ImageFile* image = session_->image();
    if (image == nullptr || image->evidence == nullptr) return;
    const std::string recorded = image->evidence->told("view");
    if (recorded != view_->name())
      warnings.push_back("the evidence was recorded by the view " + recorded +
                         ": of any other it holds only what they have in common");
  }

  // Of a view that grows: drops the rows that were shown before, and notes how far this one goes.
  void leave_new_rows(std::vector<views::Row>& rows) {
    const std::size_t column = index_of(view_->columns(), command_.follows);
    const auto number = [column](const views::Row& row) {
      const auto* value = std::get_if<std::uint64_t>(&row.values[column]);
      return value == nullptr ? 0 : *value;
    };
    std::erase_if(
        rows, [&](const views::Row& row) { return shown_until_ && number(row) <= *shown_until_; });
    if (rows.empty()) return;
    if (shown_until_ && number(rows.front()) > *shown_until_ + 1)
      warn({std::to_string(number(rows.front()) - *shown_until_ - 1) +
            " were overwritten before they could be shown"});
    shown_until_ = number(rows.back());
  }

  // What cannot be read now, it cannot most likely the next time either.
  void warn_once(const std::vector<std::string>& warnings) {
    if (warnings != last_warnings_) warn(warnings);
    last_warnings_ = warnings;
  }

  // Where the user chose columns, a script may read them.
  std::string summary() const {
    if (!command_.summary || chosen_) return {};
    std::string text;
    for (const std::string& line : command_.summary(*view_)) text += for_terminal(line) + '\n';
    return text.empty() ? text : text + '\n';
  }

  bool headed_before() { return std::exchange(headed_, true); }
  static std::string without_heading(const std::string& table) {
    return table.substr(std::min(table.find('\n'), table.size() - 1) + 1);
  }

  static void note_undecided(const Selected& selected, std::vector<std::string>& warnings) {
    if (selected.undecided > 0)
      warnings.push_back(std::to_string(selected.undecided) +
                         " rows are left out because a field that --where asks for could not be "
                         "read");
  }

  Exit show_json(const session::Observation& observation, std::vector<views::Row> rows,
                 std::vector<std::string> warnings, Exit exit) const {
    Selected selected = select(*selection_, std::move(rows));
    note_undecided(selected, warnings);
    rows = project(*selection_, std::move(selected.rows));
    const ObservationReport report{identity(*session_, options_.target.vm),
                                   identity(session_->kernel()),
                                   std::string(view_->name()),
                                   std::string(session_->technique().id),
                                   provenance_of(observation),
                                   warnings};
    return print(observation_json(report, selection_->columns, rows,
                                  json_layout(terminal_, options_.watch > 0)),
                 worse(exit, exit_of(rows)));
  }

  Exit show_table(std::vector<views::Row> rows, std::vector<std::string> warnings, Exit exit) {
    // Marks are for reading: conditions and the order concern what the guest itself says.
    Selected selected = select(*selection_, std::move(rows));
    note_undecided(selected, warnings);
    if (command_.adorn) command_.adorn(view_->columns(), selected.rows);
    rows = project(*selection_, std::move(selected.rows));
    Table table =
        make_table(selection_->columns, rows,
                   {command_.whole_lines ? 0 : terminal_.width, terminal_.colour, !chosen_});
    table.text.insert(0, summary());
    if (options_.watch > 0 && !command_.follows.empty())
      return print(headed_before() ? without_heading(table.text) : table.text,
                   worse(exit, exit_of(rows)));
    if (options_.watch == 0) {
      warnings.insert(warnings.end(), table.notes.begin(), table.notes.end());
      warn(warnings);
      return print(table.text, worse(exit, exit_of(rows)));
    }
    return print(next_frame(table.text, terminal_), worse(exit, exit_of(rows)));
  }

  const ViewOptions& options_;
  const ViewCommand& command_;
  Terminal terminal_;
  std::unique_ptr<session::Session> session_;
  std::unique_ptr<views::View> view_;
  std::optional<images::OutputFile> record_;
  std::optional<Selection> selection_;
  bool chosen_ = false;
  bool stopped_the_guest_ = false;
  // Of a view that is followed: the last row that was shown, and whether the heading was.
  std::optional<std::uint64_t> shown_until_;
  bool headed_ = false;
  std::vector<std::string> last_warnings_;
};

// Waits for a guest that rebooted to be recognisable again; the last error if it takes too long.
base::Result<void> wait_for_reboot(Show& show) {
  const auto deadline = Clock::now() + kRebootPatience;
  while (true) {
    if (!show.vmm_lives()) return base::fail(base::Code::gone, "the VM ended while it was watched");
    auto attached = show.attach();
    if (attached || Clock::now() > deadline) return attached;
    std::this_thread::sleep_for(kBetweenAttempts);
  }
}

Exit watch(const ViewOptions& options, Show& show) {
  const auto interval =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.watch));
  auto next = Clock::now();
  auto last_shown = next;
  std::string last_warning;
  while (true) {
    auto shown = show.once_more();
    // A guest whose memory makes no sense may be on its way into another kernel (kexec).
    const bool senseless = !shown && shown.error().code == base::Code::inconsistent &&
                           Clock::now() - last_shown < kSenselessPatience;
    if (senseless) std::this_thread::sleep_for(kBetweenAttempts);
    // A technique that was chosen may be none to choose any more.
    const bool to_choose_anew = !shown && shown.error().code == base::Code::unsupported &&
                                options.target.technique == "auto";
    if (senseless || to_choose_anew || (!shown && shown.error().code == base::Code::gone)) {
      if (show.vmm_lives() && shown.error().message != last_warning)
        warn({last_warning = shown.error().message});
      auto attached = wait_for_reboot(show);
      if (!attached) return report(attached.error(), options.target.json);
      continue;
    }
    if (!shown) return report(shown.error(), options.target.json);
    last_shown = Clock::now();
    last_warning.clear();
    if (*shown == Exit::failed) return *shown;
    if (auto rested = show.rest(); !rested) return report(rested.error(), options.target.json);
    // A guest that was stopped runs on at least that long: a copy may take longer than the
    // interval, and copies without a gap would stop it for good.
    next = show.stopped_the_guest() ? Clock::now() + interval
                                    : std::max(next + interval, Clock::now());
    std::this_thread::sleep_until(next);
  }
}

}  // namespace

void ViewOptions::add_to(Command& command) {
  target.add_to(command);
  target.add_pause_to(command);
  target.add_demand_to(command);
  command.option("--columns", selection.columns, "Show these columns, e.g. pid,comm; or all");
  command.option("--sort", selection.sort, "Sort by columns, e.g. --sort=-rss_bytes,pid");
  command.option("--where", selection.where,
                 "Show rows that fulfil this, e.g. 'uid = 0 and rss > 10M'");
  command
      .option("--record", record,
              "Keep every byte that was read in this file, with what is needed to answer again: "
              "file:FILE shows the same without the VM")
      .of("FILE");
  command.option("--watch", watch, "Look again every so many seconds, until interrupted")
      .between(0.01, 86400.0);
}

base::Result<std::optional<std::int64_t>> parse_pid(const std::string& text) {
  if (text.empty()) return std::nullopt;
  std::int64_t pid = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, pid);
  if (parsed.ec == std::errc() && parsed.ptr == end && pid > 0) return pid;
  return base::fail(base::Code::invalid, "\"" + text + "\" is no process id",
                    "vitrine ps lists them");
}

Exit run_view(const ViewOptions& options, const ViewCommand& command) {
  if (options.target.dry_run) {
    std::vector<std::string> more;
    if (options.target.fallback != "none")
      more.push_back("where the guest changes too fast, it is stopped or copied: " +
                     options.target.fallback);
    return show_dry_run(options.target, std::move(more));
  }
  Show show(options, command);
  if (auto attached = show.attach(); !attached)
    return report(attached.error(), options.target.json);
  if (options.watch > 0) return watch(options, show);
  auto shown = show.once();
  return shown ? *shown : report(shown.error(), options.target.json);
}

}  // namespace vitrine::cli
