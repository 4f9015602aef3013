#include "vitrine/survey/study_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "vitrine/survey/study_json.h"
#include "vitrine/survey/study_schema.h"

namespace vitrine::survey {
namespace {

// Error: `absent` where there is none, `invalid` where it is a folder, say.
base::Result<void> check_file(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0)
    return base::fail_errno(errno, "stat", "the survey " + path + " can't be read");
  if (!S_ISREG(status.st_mode)) return base::fail(base::Code::invalid, path + " is no file");
  return {};
}

base::Result<base::FileDescriptor> lock_folder(const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  base::FileDescriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid())
    return base::fail_errno(errno, "open", "the folder " + folder.string() + " can't be used");
  if (flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0)
    return base::fail(base::Code::timeout,
                      "another survey writes to " + folder.string() + " at this moment",
                      "wait for its end or name another folder");
  return descriptor;
}

base::Result<Study> checked_study(Database& database) {
  if (auto checked = check_tables(database); !checked) return base::fail(checked.error());
  return read_study(database);
}

}  // namespace

base::Result<StudyFile> StudyFile::create_or_resume(const std::string& path, const Study& planned) {
  auto folder = lock_folder(path);
  if (!folder) return base::fail(folder.error());
  if (const auto file = check_file(path); !file && file.error().code != base::Code::absent)
    return base::fail(file.error());
  auto database = Database::open(path, true);
  if (!database) return base::fail(base::about(path, database.error()));
  StudyFile file(std::move(*folder), std::move(*database));
  const auto empty = is_empty(file.database_);
  if (!empty) return base::fail(base::about(path, empty.error()));
  if (*empty) {
    if (auto written = file.write_plan(planned); !written)
      return base::fail(base::about(path, written.error()));
  }
  auto study = checked_study(file.database_);
  if (!study) return base::fail(base::about(path, study.error()));
  file.study_ = std::move(*study);
  const auto plan = [](const Study& of) {
    const auto fact = of.facts.find(kPlanFact);
    return fact == of.facts.end() ? std::string() : fact->second;
  };
  if (plan(file.study_) != plan(planned))
    return base::fail(base::Code::invalid,
                      path + " holds another survey: of " + plan(file.study_) +
                          ", where this one is of " + plan(planned),
                      "name another folder, or repeat that survey's options to continue it");
  return file;
}

base::Result<void> StudyFile::write_plan(const Study& planned) {
  Transaction transaction(database_);
  if (auto created = create_tables(database_); !created) return created;
  for (const auto& [fact, value] : planned.facts)
    if (auto set = set_fact(fact, value); !set) return set;
  Statement guest = database_.prepare(
      "INSERT INTO guests (name, release, memory_bytes, processors, tasks) VALUES (?, ?, ?, ?, ?)");
  for (const Guest& each : planned.guests) {
    guest.reset();
    guest.bind(each.name).bind(each.release);
    for (const std::uint64_t number : {each.memory_bytes, each.processors, each.tasks})
      guest.bind(static_cast<std::int64_t>(number));
    if (auto done = guest.done(); !done) return done;
  }
  Statement cell = database_.prepare(
      "INSERT INTO cells (guest, workload, view, technique, pause, demand, frequency_hz) "
      "VALUES ((SELECT id FROM guests WHERE name = ?), ?, ?, ?, ?, ?, ?)");
  for (const Measured& each : planned.cells) {
    cell.reset();
    for (const std::string* text : {&each.cell.guest, &each.cell.workload, &each.cell.view,
                                    &each.cell.technique, &each.cell.pause, &each.cell.demand})
      cell.bind(*text);
    if (auto done = cell.bind(each.cell.frequency_hz).done(); !done) return done;
    const std::int64_t id = database_.last_row();
    for (const Run& run : each.runs)
      if (auto written = write_run(id, run); !written) return written;
  }
  return transaction.commit();
}

base::Result<void> StudyFile::append(const Cell& cell, const Run& run) {
  const auto planned = std::find_if(study_.cells.begin(), study_.cells.end(),
                                    [&](const Measured& each) { return each.cell == cell; });
  Statement find = database_.prepare(
      "SELECT cells.id FROM cells JOIN guests ON guests.id = cells.guest WHERE guests.name = ? AND "
      "workload = ? AND view = ? AND technique = ? AND pause = ? AND demand = ? AND "
      "frequency_hz = ?");
  find.bind(cell.guest).bind(cell.workload).bind(cell.view).bind(cell.technique);
  find.bind(cell.pause).bind(cell.demand).bind(cell.frequency_hz);
  const bool found = find.next();
  const std::int64_t id = found ? find.integer(0) : 0;
  if (auto done = find.done(); !done) return done;
  if (!found || planned == study_.cells.end())
    return base::fail(base::Code::invalid, "the survey has no such cell");
  Transaction transaction(database_);
  if (auto written = write_run(id, run); !written) return written;
  if (auto committed = transaction.commit(); !committed) return committed;
  planned->runs.push_back(run);
  return {};
}

base::Result<void> StudyFile::write_run(std::int64_t cell, const Run& run) {
  Statement row = database_.prepare(
      "INSERT INTO runs (cell, started_unix_ns, state, reason) VALUES (?, ?, ?, ?)");
  row.bind(cell).bind(run.started_unix_ns).bind(state_name(run.state)).bind(run.reason);
  if (auto done = row.done(); !done) return done;
  const std::int64_t id = database_.last_row();
  Statement figure = database_.prepare("INSERT INTO figures (run, name, value) VALUES (?, ?, ?)");
  for (const auto& [name, value] : run.figures) {
    if (!std::isfinite(value))
      return base::fail(base::Code::invalid, "the figure " + name + " is no number");
    figure.reset();
    if (auto done = figure.bind(id).bind(name).bind(value).done(); !done) return done;
  }
  Statement latency =
      database_.prepare("INSERT INTO latencies (run, up_to_ns, observations) VALUES (?, ?, ?)");
  for (const auto& [up_to_ns, observations] : run.latencies) {
    latency.reset();
    latency.bind(id).bind(static_cast<std::int64_t>(up_to_ns));
    if (auto done = latency.bind(static_cast<std::int64_t>(observations)).done(); !done)
      return done;
  }
  return {};
}

base::Result<void> StudyFile::set_fact(const std::string& name, const std::string& value) {
  Statement fact = database_.prepare(
      "INSERT INTO facts (name, value) VALUES (?, ?) "
      "ON CONFLICT (name) DO UPDATE SET value = excluded.value");
  if (auto done = fact.bind(name).bind(value).done(); !done) return done;
  study_.facts[name] = value;
  return {};
}

base::Result<Study> load_study(const std::string& path) {
  if (const auto file = check_file(path); !file) return base::fail(file.error());
  auto database = Database::open(path, false);
  if (!database) return base::fail(base::about(path, database.error()));
  // All of it as of one moment, should a survey write to it.
  if (auto begun = database->run("BEGIN"); !begun)
    return base::fail(base::about(path, begun.error()));
  auto study = checked_study(*database);
  if (!study) return base::fail(base::about(path, study.error()));
  return study;
}

}  // namespace vitrine::survey
