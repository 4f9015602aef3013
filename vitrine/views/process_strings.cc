#include "vitrine/views/process_strings.h"

#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/wanted_process.h"

namespace vitrine::views {
namespace {

constexpr std::size_t kMostText = 256U << 20;   // bytes, of all processes
constexpr std::size_t kMostStrings = 4U << 20;  // of all processes

}  // namespace

constinit const std::array<Column, ProcessStrings::kColumns> ProcessStrings::kArgumentColumns{{
    {"pid", Type::integer, "id of the process"},
    {"comm", Type::text, "name of the process, at most 15 bytes"},
    {"index", Type::integer,
     "place among the arguments: 0 is the name the program was called by; null where some before "
     "are missing"},
    {"argument", Type::text,
     "the argument, from the process's own memory; or the title that a program gave itself"},
}};

constinit const std::array<Column, ProcessStrings::kColumns> ProcessStrings::kEnvironmentColumns{{
    {"pid", Type::integer, "id of the process"},
    {"comm", Type::text, "name of the process, at most 15 bytes"},
    {"name", Type::text, "name of the variable"},
    {"value", Type::text,
     "its value when the program was started, from the process's own memory; null where there is "
     "no ="},
}};

std::span<const Column> ProcessStrings::declared_columns(Kind kind) {
  return kind == Kind::arguments ? std::span(kArgumentColumns) : std::span(kEnvironmentColumns);
}

base::Result<std::unique_ptr<View>> ProcessStrings::attach(const kernel::Kernel& kernel,
                                                           memory::PhysicalMemory& memory,
                                                           Kind kind,
                                                           std::optional<std::int64_t> pid) {
  auto processes = Processes::attach(kernel, memory, {.threads = false, .command_lines = false});
  if (!processes) return processes;
  Resolver at(kernel.types);
  const UserStrings source = UserStrings::attach(at);
  if (at.error()) return base::fail(*at.error());
  return std::unique_ptr<View>(new ProcessStrings(std::move(*processes), source, kind, pid));
}

Outcome ProcessStrings::collect(Reader& reader) {
  Outcome outcome = processes_->collect(reader);
  return collect_rows(reader, std::move(outcome));
}

Outcome ProcessStrings::collect_rows(Reader& reader, Outcome outcome) {
  strings_.clear();
  text_.clear();
  WantedProcess wanted(pid_);
  for (std::size_t i = 0; i < processes().processes().size(); ++i) {
    const Process& process = processes().processes()[i];
    if (!wanted.is(process) || process.mm.value == 0) continue;
    if (text_.size() > kMostText || strings_.size() > kMostStrings) {
      outcome.complete = false;
      outcome.warnings.push_back("the processes claim more than " +
                                 std::to_string(kMostText >> 20) +
                                 " MiB of strings: those after that are left out");
      break;
    }
    collect_process(reader, i);
  }
  wanted.explain(!strings_.empty(), outcome);
  return outcome;
}

void ProcessStrings::collect_process(Reader& reader, std::size_t index) {
  const base::GuestVirtual mm = processes().processes()[index].mm;
  const UserStrings::End end = kind_ == Kind::arguments ? source_.arguments(reader, mm, read_)
                                                        : source_.environment(reader, mm, read_);
  if (end == UserStrings::End::read) return split(index);
  String& missing = strings_.emplace_back();
  missing.process = index;
  missing.implausible = end == UserStrings::End::implausible;
  if (!missing.implausible) missing.fault = reader.fault();
}

// Each string ends with a zero byte; one that a gap lies in is missing, whatever else of it is
// there, and so may be others that lie in the gap.
void ProcessStrings::split(std::size_t process) {
  const std::string& bytes = read_.bytes;
  const std::size_t before = text_.size();
  text_ += bytes;
  std::optional<std::uint32_t> index = 0;
  auto gap = read_.gaps.begin();
  std::size_t last_kept = strings_.size();  // behind the last that is not empty
  for (std::size_t at = 0; at < bytes.size() && strings_.size() <= kMostStrings;) {
    const std::size_t zero = std::min(bytes.find('\0', at), bytes.size());
    String& string = strings_.emplace_back();
    string.process = process;
    string.index = index;
    if (gap == read_.gaps.end() || zero < gap->offset) {
      string.offset = before + at;
      string.length = zero - at;
      at = zero + 1;
    } else {
      string.fault = gap->fault;
      at = gap->offset + gap->size;
      index.reset();
      for (++gap; gap != read_.gaps.end() && gap->offset == at; ++gap) at += gap->size;
      // What follows is the end of a string that began in the gap.
      const std::size_t next = bytes.find('\0', at);
      if (gap == read_.gaps.end() || next < gap->offset) at = std::min(next, bytes.size() - 1) + 1;
    }
    if (string.length != 0 || string.fault != paging::Fault::none) last_kept = strings_.size();
    if (index) ++*index;
  }
  // A program that gave itself a title leaves zeros behind it; one empty string may be an argument.
  if (strings_.size() - last_kept > 1) strings_.resize(last_kept);
}

Row ProcessStrings::row(std::size_t index) const {
  const String& string = strings_[index];
  const Process& process = processes().processes()[string.process];
  Row row;
  row.values.resize(kColumns);
  row.values[kPid] = std::int64_t{process.pid};
  row.values[kComm] = std::string(name_of(process));
  const bool of_arguments = kind_ == Kind::arguments;
  if (of_arguments && string.index && !string.implausible)
    row.values[kFirst] = std::uint64_t{*string.index};
  const std::size_t value = of_arguments ? kSecond : kFirst;
  if (string.implausible) {
    row.errors.push_back({columns()[value].name, base::Code::inconsistent,
                          "the bounds of the strings are none that a process can have: it is just "
                          "starting a program, or they are damaged or forged"});
    return row;
  }
  if (string.fault != paging::Fault::none) {
    const base::Error error = paging::error_of(string.fault, {});
    row.errors.push_back({columns()[value].name, error.code, error.message});
    return row;
  }
  const std::string text = text_.substr(string.offset, string.length);
  const std::size_t equals = text.find('=');
  if (of_arguments) {
    row.values[kSecond] = text;
  } else {
    row.values[kFirst] = text.substr(0, equals);
    if (equals != std::string::npos) row.values[kSecond] = text.substr(equals + 1);
  }
  return row;
}

}  // namespace vitrine::views
