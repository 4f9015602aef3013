#include "vitrine/survey/study_schema.h"

#include <array>
#include <cmath>
#include <unordered_map>

#include "vitrine/survey/study_file.h"
#include "vitrine/survey/study_json.h"

namespace vitrine::survey {
namespace {

constexpr std::int64_t kApplication = 0x56537679;  // "VSvy"

// STRICT, so that a value has the type of its column; keys by name, so that nothing is there twice.
constexpr const char* kTables = R"(
CREATE TABLE facts (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE guests (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  release TEXT NOT NULL,
  memory_bytes INTEGER NOT NULL CHECK (memory_bytes >= 0),
  processors INTEGER NOT NULL CHECK (processors >= 0),
  tasks INTEGER NOT NULL CHECK (tasks >= 0)
) STRICT;
CREATE TABLE cells (
  id INTEGER PRIMARY KEY,
  guest INTEGER NOT NULL REFERENCES guests (id),
  workload TEXT NOT NULL,
  view TEXT NOT NULL,
  technique TEXT NOT NULL,
  pause TEXT NOT NULL CHECK (pause IN ('none', 'vmm', 'freeze')),
  demand TEXT NOT NULL CHECK (demand IN ('none', 'atomic', 'quiescent')),
  frequency_hz REAL NOT NULL CHECK (frequency_hz BETWEEN 0 AND 1e9),
  UNIQUE (guest, workload, view, technique, pause, demand, frequency_hz)
) STRICT;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  cell INTEGER NOT NULL REFERENCES cells (id),
  started_unix_ns INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('measured', 'refused', 'failed')),
  reason TEXT NOT NULL
) STRICT;
CREATE TABLE figures (
  run INTEGER NOT NULL REFERENCES runs (id),
  name TEXT NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE latencies (
  run INTEGER NOT NULL REFERENCES runs (id),
  up_to_ns INTEGER NOT NULL CHECK (up_to_ns >= 0),
  observations INTEGER NOT NULL CHECK (observations > 0),
  PRIMARY KEY (run, up_to_ns)
) STRICT, WITHOUT ROWID;
)";

constexpr std::array kStates{State::measured, State::refused, State::failed};

base::Result<std::string> first_text(const Database& database, std::string_view sql) {
  Statement statement = database.prepare(sql);
  std::string text = statement.next() ? statement.text(0) : "";
  if (auto done = statement.done(); !done) return base::fail(done.error());
  return text;
}

// Every statement that made something of a database, its own tables left out.
base::Result<std::vector<std::string>> made_by(const Database& database) {
  std::vector<std::string> all;
  Statement statement =
      database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name");
  while (statement.next()) all.push_back(statement.text(0));
  if (auto done = statement.done(); !done) return base::fail(done.error());
  return all;
}

base::Result<void> read_figures(const Database& database, std::int64_t id, Run& run) {
  Statement figures = database.prepare("SELECT name, value FROM figures WHERE run = ?");
  figures.bind(id);
  while (figures.next()) {
    if (!std::isfinite(figures.real(1)))
      return base::fail(base::Code::inconsistent, "a figure of the survey is no number");
    run.figures.emplace(figures.text(0), figures.real(1));
  }
  if (auto done = figures.done(); !done) return done;
  Statement latencies = database.prepare(
      "SELECT up_to_ns, observations FROM latencies WHERE run = ? ORDER BY up_to_ns");
  latencies.bind(id);
  while (latencies.next())
    run.latencies.emplace_back(static_cast<std::uint64_t>(latencies.integer(0)),
                               static_cast<std::uint64_t>(latencies.integer(1)));
  return latencies.done();
}

// `cells`: where the cell of a row is in the study.
base::Result<void> read_runs(const Database& database,
                             const std::unordered_map<std::int64_t, std::size_t>& cells,
                             Study& study) {
  Statement rows =
      database.prepare("SELECT id, cell, started_unix_ns, state, reason FROM runs ORDER BY id");
  while (rows.next()) {
    const auto cell = cells.find(rows.integer(1));
    if (cell == cells.end())
      return base::fail(base::Code::inconsistent, "a run of the survey belongs to no cell");
    Run run;
    run.started_unix_ns = rows.integer(2);
    for (const State state : kStates)
      if (rows.text(3) == state_name(state)) run.state = state;
    run.reason = rows.text(4);
    if (auto read = read_figures(database, rows.integer(0), run); !read) return read;
    study.cells[cell->second].runs.push_back(std::move(run));
  }
  return rows.done();
}

}  // namespace

base::Result<void> create_tables(Database& database) {
  return database.run("PRAGMA application_id = " + std::to_string(kApplication) +
                      "; PRAGMA user_version = " + std::to_string(kStudySchema) + ";" + kTables);
}

base::Result<bool> is_empty(const Database& database) {
  const auto made = made_by(database);
  if (!made) return base::fail(made.error());
  return made->empty();
}

base::Result<void> check_tables(Database& database) {
  const auto application = first_text(database, "PRAGMA application_id");
  const auto schema = first_text(database, "PRAGMA user_version");
  if (!application) return base::fail(application.error());
  if (!schema) return base::fail(schema.error());
  if (*application != std::to_string(kApplication))
    return base::fail(base::Code::inconsistent, "it is a database, but no survey of Vitrine's");
  if (*schema != std::to_string(kStudySchema))
    return base::fail(base::Code::unsupported,
                      "its form is number " + *schema + ", and this program knows number " +
                          std::to_string(kStudySchema),
                      "use the program that wrote it, or a newer one");
  auto expected = Database::open(":memory:", true);
  if (!expected) return base::fail(expected.error());
  if (auto created = create_tables(*expected); !created) return created;
  const auto ours = made_by(*expected);
  const auto theirs = made_by(database);
  if (!ours) return base::fail(ours.error());
  if (!theirs) return base::fail(theirs.error());
  if (*ours != *theirs)
    return base::fail(base::Code::inconsistent, "its tables are not those of a survey");
  const auto whole = first_text(database, "PRAGMA integrity_check(1)");
  if (!whole) return base::fail(whole.error());
  if (*whole != "ok") return base::fail(base::Code::inconsistent, "it is damaged: " + *whole);
  const auto stray = first_text(database, "PRAGMA foreign_key_check");
  if (!stray) return base::fail(stray.error());
  if (!stray->empty())
    return base::fail(base::Code::inconsistent,
                      "it is damaged: a row of its table " + *stray + " belongs to nothing");
  return {};
}

base::Result<Study> read_study(const Database& database) {
  Study study;
  Statement facts = database.prepare("SELECT name, value FROM facts");
  while (facts.next()) study.facts.emplace(facts.text(0), facts.text(1));
  if (auto done = facts.done(); !done) return base::fail(done.error());
  Statement guests = database.prepare(
      "SELECT name, release, memory_bytes, processors, tasks FROM guests ORDER BY id");
  while (guests.next())
    study.guests.push_back({guests.text(0), guests.text(1),
                            static_cast<std::uint64_t>(guests.integer(2)),
                            static_cast<std::uint64_t>(guests.integer(3)),
                            static_cast<std::uint64_t>(guests.integer(4))});
  if (auto done = guests.done(); !done) return base::fail(done.error());
  std::unordered_map<std::int64_t, std::size_t> places;
  Statement cells = database.prepare(
      "SELECT cells.id, guests.name, workload, view, technique, pause, demand, frequency_hz "
      "FROM cells JOIN guests ON guests.id = cells.guest ORDER BY cells.id");
  while (cells.next()) {
    places.emplace(cells.integer(0), study.cells.size());
    study.cells.push_back({{cells.text(1), cells.text(2), cells.text(3), cells.text(4),
                            cells.text(5), cells.text(6), cells.real(7)},
                           {}});
  }
  if (auto done = cells.done(); !done) return base::fail(done.error());
  if (auto read = read_runs(database, places, study); !read) return base::fail(read.error());
  return study;
}

}  // namespace vitrine::survey
