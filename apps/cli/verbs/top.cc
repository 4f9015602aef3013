#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "apps/cli/keyboard.h"
#include "apps/cli/top_screen.h"
#include "apps/cli/verbs/view_command.h"

namespace vitrine::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kFirstInterval{250};     // until the first shares can be told
constexpr std::chrono::seconds kPatience{180};  // with a guest that reboots

struct TopArguments {
  Target target;
  double interval = 1;
  unsigned batch = 0;
};

std::uint64_t ns_of(Clock::duration time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}

// Processor time of this program, in nanoseconds.
std::uint64_t own_run_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto ns = [](const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_usec) * 1'000;
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

// The guest that is watched, looked at as often as asked for.
class Watched {
 public:
  explicit Watched(const TopArguments& arguments) : arguments_(arguments) {}

  base::Result<void> open() {
    auto session = arguments_.target.open();
    if (!session) return base::fail(session.error());
    session_ = std::move(*session);
    return attach(false);
  }

  base::Result<void> attach(bool threads) {
    view_.reset();  // it may hold what the new one needs
    auto view = views::Activity::attach(session_->kernel(), session_->memory(), threads);
    if (!view) return base::fail(view.error());
    view_ = std::move(*view);
    threads_ = threads;
    shares_.forget();
    return {};
  }

  // Looks once more. A guest that reboots leaves the last sample with a notice. Errors: that the VM
  // ended, or that it can't be looked at.
  base::Result<void> look() {
    const bool waits = view_ == nullptr;
    auto looked = observe();
    if (looked) return {};
    const bool may_come_back = waits || looked.error().code == base::Code::gone ||
                               looked.error().code == base::Code::inconsistent;
    if (!may_come_back || Clock::now() - looked_before_ > kPatience || !session_->source().lives())
      return looked;
    sample_.notice = looked.error().message;
    view_.reset();
    return {};
  }

  // Once more with threads or without.
  base::Result<void> look(bool threads) {
    if (view_ && threads != threads_)
      if (auto attached = attach(threads); !attached) return attached;
    return look();
  }

  const TopSample& sample() const { return sample_; }
  const session::Session& session() const { return *session_; }

 private:
  base::Result<void> observe() {
    if (!view_) {
      if (auto again = session_->reattach(); !again) return again;
      if (auto attached = attach(threads_); !attached) return attached;
    } else if (auto alive = session_->check_alive(); !alive) {
      return alive;
    }
    const auto observation = session_->observe(*view_);
    if (!observation) return base::fail(observation.error());
    if (auto rested = session_->rest(); !rested) return rested;
    const Clock::time_point now = Clock::now();
    const std::uint64_t run = own_run_time();
    TopSample sample;
    shares_.update(static_cast<const views::Activity&>(*view_), ns_of(now.time_since_epoch()),
                   sample);
    sample.vm = identity(*session_, arguments_.target.vm).name.value_or(arguments_.target.vm);
    sample.technique = session_->technique().id;
    sample.duration_ns = observation->duration_ns;
    sample.stopped_ns = observation->stopped_ns;
    sample.reads = observation->cost.reads;
    sample.own_share = 100 * static_cast<double>(run - own_before_) /
                       static_cast<double>(ns_of(now - looked_before_));
    if (!observation->outcome.complete && !observation->outcome.warnings.empty())
      sample.notice = observation->outcome.warnings.front();
    sample_ = std::move(sample);
    own_before_ = run;
    looked_before_ = now;
    return {};
  }

  const TopArguments& arguments_;
  std::unique_ptr<session::Session> session_;
  std::unique_ptr<views::View> view_;
  bool threads_ = false;
  ProcessorShares shares_;
  TopSample sample_;
  std::uint64_t own_before_ = own_run_time();
  Clock::time_point looked_before_ = Clock::now();
};

// For what is no terminal: one screen after the other, each with all processes.
base::Result<void> print_batches(const TopArguments& arguments, Watched& watched) {
  TopScreen screen;
  const Terminal plain;
  const std::chrono::duration<double> interval(arguments.interval);
  for (unsigned shown = 0; arguments.batch == 0 || shown < arguments.batch; ++shown) {
    std::this_thread::sleep_for(interval);
    if (auto looked = watched.look(); !looked) return looked;
    const std::string text = (shown == 0 ? "" : "\n") + screen.render(watched.sample(), plain);
    if (auto written = write_fully(STDOUT_FILENO, text); !written) return written;
  }
  return {};
}

base::Result<void> run_screen(const TopArguments& arguments, Watched& watched) {
  auto keyboard = Keyboard::open(STDIN_FILENO, STDOUT_FILENO);
  if (!keyboard) return base::fail(keyboard.error());
  const auto interval = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(arguments.interval));
  TopScreen screen;
  auto next = Clock::now() + std::min<Clock::duration>(kFirstInterval, interval);
  while (true) {
    const Terminal terminal = inspect(STDOUT_FILENO);
    const std::string frame = next_frame(screen.render(watched.sample(), terminal), terminal);
    if (auto written = write_fully(STDOUT_FILENO, frame); !written) return written;
    TopScreen::Effect effect = TopScreen::Effect::none;
    while (effect == TopScreen::Effect::none && Clock::now() < next) {
      const auto left = std::chrono::ceil<milliseconds>(next - Clock::now());
      if (const auto key = keyboard->wait(std::max(left, milliseconds(0))))
        effect = screen.press(*key);
    }
    if (effect == TopScreen::Effect::quit) return {};
    if (effect == TopScreen::Effect::redraw) continue;
    if (auto looked = watched.look(screen.threads()); !looked) return looked;
    next = effect == TopScreen::Effect::collect_anew ? Clock::now() + kFirstInterval
                                                     : Clock::now() + interval;
  }
}

Exit run_top(const TopArguments& arguments) {
  if (arguments.target.dry_run) return show_dry_run(arguments.target);
  if (arguments.target.json)
    return report({base::Code::invalid, "top is for people and prints no JSON",
                   "use vitrine ps --json --watch SECONDS"},
                  true);
  Watched watched(arguments);
  if (auto opened = watched.open(); !opened) return report(opened.error(), false);
  if (auto looked = watched.look(); !looked) return report(looked.error(), false);
  const bool interactive =
      arguments.batch == 0 && inspect(STDOUT_FILENO).cursor && inspect(STDIN_FILENO).interactive;
  if (!interactive) warn(watched.session().warnings());
  const auto ended =
      interactive ? run_screen(arguments, watched) : print_batches(arguments, watched);
  return ended ? Exit::complete : report(ended.error(), false);
}

}  // namespace

Verb add_top(CommandLine& line) {
  Command command = line.verb("top", "Watch what the guest is busy with");
  auto arguments = std::make_shared<TopArguments>();
  arguments->target.add_to(command);
  arguments->target.add_pause_to(command);
  command.option("--interval", arguments->interval, "Seconds between refreshes")
      .between(0.05, 3600.0);
  command
      .option("--batch", arguments->batch,
              "Print so many screens with all processes, and end; without a terminal they are "
              "printed until interrupted")
      .between(1U, 1'000'000'000U);
  command.footer(
      "Keys: P M T N sort by processor share, memory, processor time, process id; t tree; H "
      "threads; / filters; arrows scroll; h help; q quits. 100 % is one of the guest's "
      "processors.");
  return {command, [arguments] { return run_top(*arguments); }};
}

}  // namespace vitrine::cli
