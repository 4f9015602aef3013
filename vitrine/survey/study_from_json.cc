#include "vitrine/survey/study_from_json.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "vitrine/base/json.h"

namespace vitrine::survey {
namespace {

using base::Json;

// Reads one object member by member. What does not fit is kept, with its place, and reading goes
// on with empty values, so that who reads need not ask after each member.
class MemberReader {
 public:
  MemberReader(const Json& object, std::string place, std::optional<std::string>& wrong)
      : object_(object), place_(std::move(place)), wrong_(wrong) {
    if (!object_.is_object()) note("", "is no object");
  }

  std::string text(const char* key) { return of(key, &Json::is_string, "no text", std::string()); }
  double number(const char* key) { return of(key, &Json::is_number, "no number", 0.0); }
  std::uint64_t whole(const char* key) {
    return of(key, &Json::is_number_unsigned, "no whole number from 0 on", std::uint64_t{0});
  }
  std::int64_t time(const char* key) {
    const std::uint64_t value = whole(key);
    if (std::in_range<std::int64_t>(value)) return static_cast<std::int64_t>(value);
    note(key, "is no time of this world");
    return 0;
  }
  const Json& list(const char* key) { return child(key, &Json::is_array, "no list"); }
  const Json& object(const char* key) { return child(key, &Json::is_object, "no object"); }

  void note(std::string_view key, std::string_view what) {
    if (!wrong_) wrong_ = fmt::format("{}{} {}", place_, key, what);
  }
  std::string place_of(const char* key, std::size_t index) const {
    return fmt::format("{}{}[{}].", place_, key, index);
  }
  std::optional<std::string>& wrong() { return wrong_; }

 private:
  using Is = bool (Json::*)() const noexcept;

  const Json& child(const char* key, Is is, const char* otherwise) {
    static const Json kNothing;
    const auto found = object_.find(key);
    if (found != object_.end() && (*found.*is)()) return *found;
    note(key, found == object_.end() ? "is missing" : fmt::format("is {}", otherwise));
    return kNothing;
  }
  template <class T>
  T of(const char* key, Is is, const char* otherwise, T nothing) {
    const Json& value = child(key, is, otherwise);
    return value.is_null() ? nothing : value.get<T>();
  }

  const Json& object_;
  std::string place_;
  std::optional<std::string>& wrong_;
};

// Calls `read` with a reader of each object of a list.
template <class Read>
void each(MemberReader& reader, const char* key, const Read& read) {
  const Json& list = reader.list(key);
  for (std::size_t i = 0; i < list.size() && !reader.wrong(); ++i)
    read(MemberReader(list[i], reader.place_of(key, i), reader.wrong()));
}

State state_of(MemberReader& reader) {
  const std::string text = reader.text("state");
  if (text == "refused") return State::refused;
  if (text == "failed") return State::failed;
  if (text != "measured") reader.note("state", "is none of measured, refused, failed");
  return State::measured;
}

Run run_of(MemberReader reader) {
  Run run{reader.time("started_unix_ns"), state_of(reader), reader.text("reason"), {}, {}};
  for (const auto& [name, value] : reader.object("figures").items()) {
    if (value.is_number())
      run.figures[name] = value.get<double>();
    else
      reader.note("figures." + name, "is no number");
  }
  for (const Json& pair : reader.list("latencies")) {
    if (pair.is_array() && pair.size() == 2 && pair[0].is_number_unsigned() &&
        pair[1].is_number_unsigned())
      run.latencies.emplace_back(base::whole_number(pair[0]), base::whole_number(pair[1]));
    else
      reader.note("latencies", "has what is no [nanoseconds, count]");
  }
  return run;
}

Measured measured_of(MemberReader reader) {
  Measured measured;
  Cell& cell = measured.cell;
  cell.guest = reader.text("guest");
  cell.workload = reader.text("workload");
  cell.view = reader.text("view");
  cell.technique = reader.text("technique");
  cell.pause = reader.text("pause");
  cell.demand = reader.text("demand");
  cell.frequency_hz = reader.number("frequency_hz");
  if (cell.frequency_hz < 0) reader.note("frequency_hz", "is negative");
  each(reader, "runs", [&](MemberReader run) { measured.runs.push_back(run_of(std::move(run))); });
  return measured;
}

}  // namespace

base::Result<Study> study_from_json(std::string_view text) {
  const Json json = base::parse_json(text);
  std::optional<std::string> wrong;
  MemberReader reader(json, "", wrong);
  if (wrong) return base::fail(base::Code::inconsistent, "it is no JSON of a survey");
  if (const std::uint64_t schema = reader.whole("schema"); !wrong && schema != 1)
    return base::fail(base::Code::unsupported,
                      fmt::format("its schema is {}, and 1 is what is understood", schema),
                      "use a newer vitrine");
  Study study;
  for (const auto& [name, value] : reader.object("facts").items()) {
    if (value.is_string())
      study.facts[name] = value.get<std::string>();
    else
      reader.note("facts." + name, "is no text");
  }
  each(reader, "guests", [&](MemberReader guest) {
    study.guests.push_back({guest.text("name"), guest.text("release"), guest.whole("memory_bytes"),
                            guest.whole("processors"), guest.whole("tasks")});
  });
  each(reader, "cells",
       [&](MemberReader cell) { study.cells.push_back(measured_of(std::move(cell))); });
  if (wrong) return base::fail(base::Code::inconsistent, "it is no survey: " + *wrong);
  return study;
}

}  // namespace vitrine::survey
