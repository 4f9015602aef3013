#include "apps/cli/json.h"

#include <fmt/format.h>

#include <variant>

#include "apps/cli/columns.h"
#include "apps/cli/escape.h"
#include "apps/cli/json_text.h"
#include "vitrine/base/address.h"

namespace vitrine::cli {
namespace {

using Json = nlohmann::ordered_json;

Json text(std::string_view bytes) { return for_json(bytes); }

template <class T>
Json or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  if constexpr (std::is_arithmetic_v<T>)
    return *value;
  else
    return text(*value);
}

struct JsonValue {
  views::Type type;

  Json operator()(std::monostate) const { return nullptr; }
  Json operator()(bool value) const { return value; }
  Json operator()(const std::string& value) const { return text(value); }
  template <class Number>
  Json operator()(Number value) const {
    if (type == views::Type::address) return base::to_hex(static_cast<std::uint64_t>(value));
    return value;
  }
};

Json value_json(const views::Value& value, views::Type type) {
  return std::visit(JsonValue{type}, value);
}

Json row_json(std::span<const views::Column> columns, const views::Row& row) {
  Json object = Json::object();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string_view field = columns[i].name;
    object[std::string(field)] = is_unreadable(row, field) || i >= row.values.size()
                                     ? Json()
                                     : value_json(row.values[i], columns[i].type);
  }
  if (row.errors.empty()) return object;
  Json errors = Json::array();
  for (const views::FieldError& error : row.errors)
    errors.push_back({{"field", text(error.field)},
                      {"code", std::string(base::name(error.code))},
                      {"message", text(error.message)}});
  object["errors"] = std::move(errors);
  return object;
}

Json rows_json(std::span<const views::Column> columns, std::span<const views::Row> rows) {
  Json array = Json::array();
  for (const views::Row& row : rows) array.push_back(row_json(columns, row));
  return array;
}

template <class Report>
Json subject_json(const Report& report) {
  return {{"schema", 1},
          {"vm", vm_json(report.vm)},
          {"kernel", kernel_json(report.kernel)},
          {"view", text(report.view)},
          {"technique", text(report.technique)}};
}

void add_collected(Json& object, const ObservationReport& report,
                   std::span<const views::Column> columns, std::span<const views::Row> rows) {
  object["observation"] = provenance_json(report.observation);
  object["rows"] = rows_json(columns, rows);
  object["warnings"] = texts_json(report.warnings);
}

}  // namespace

Json texts_json(std::span<const std::string> list) {
  Json array = Json::array();
  for (const std::string& item : list) array.push_back(text(item));
  return array;
}

Json vm_json(const VmIdentity& vm) {
  return {{"name", or_null(vm.name)}, {"pid", or_null(vm.pid)}, {"source", text(vm.source)}};
}

Json kernel_json(const std::optional<KernelIdentity>& kernel) {
  if (!kernel) return nullptr;
  return {{"release", text(kernel->release)}, {"build_id", or_null(kernel->build_id)}};
}

Json provenance_json(const Provenance& observation) {
  const consistency::Verdict& verdict = observation.consistency;
  return {{"started", rfc3339(observation.started)},
          {"duration_ns", observation.duration_ns},
          {"reads", observation.reads},
          {"bytes", observation.bytes},
          {"stopped_ns", observation.stopped_ns},
          {"drained_ns", observation.drained_ns},
          {"consistency",
           {{"atomic", std::string(name(verdict.atomic))},
            {"quiescent", std::string(name(verdict.quiescent))},
            {"collects", verdict.collects},
            {"held", texts_json(verdict.held)}}}};
}

JsonLayout json_layout(const Terminal& terminal, bool watching) {
  return terminal.interactive && !watching ? JsonLayout::indented : JsonLayout::line;
}

std::string json_text(const Json& value, JsonLayout layout) {
  const int indent = layout == JsonLayout::indented ? 2 : -1;
  return value.dump(indent, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace) + "\n";
}

std::string observation_json(const ObservationReport& report,
                             std::span<const views::Column> columns,
                             std::span<const views::Row> rows, JsonLayout layout) {
  Json object = subject_json(report);
  add_collected(object, report, columns, rows);
  return json_text(object, layout);
}

std::string file_json(const ObservationReport& report, const FileReport& file,
                      std::span<const views::Column> columns, std::span<const views::Row> rows,
                      JsonLayout layout) {
  Json object = subject_json(report);
  object["file"] = {{"inode", file.inode},
                    {"size_bytes", file.size_bytes},
                    {"cached_bytes", file.cached_bytes},
                    {"sha256", or_null(file.sha256)}};
  add_collected(object, report, columns, rows);
  return json_text(object, layout);
}

std::string views_json(const ObservationReport& report, std::span<const ViewReport> views,
                       JsonLayout layout) {
  Json object = subject_json(report);
  object.erase("view");
  object["observation"] = provenance_json(report.observation);
  Json all = Json::object();
  for (const ViewReport& view : views) {
    Json entry = Json::object();
    if (view.error) {
      entry["error"] = error_object(*view.error);
    } else {
      entry["rows"] = rows_json(view.columns, view.rows);
      entry["warnings"] = texts_json(view.warnings);
    }
    all[std::string(view.name)] = std::move(entry);
  }
  object["views"] = std::move(all);
  object["warnings"] = texts_json(report.warnings);
  return json_text(object, layout);
}

std::string list_json(std::string_view key, const std::optional<VmIdentity>& vm,
                      std::span<const views::Column> columns, std::span<const views::Row> rows,
                      JsonLayout layout) {
  Json object = {{"schema", 1}};
  if (vm) object["vm"] = vm_json(*vm);
  object[std::string(key)] = rows_json(columns, rows);
  return json_text(object, layout);
}

std::string info_json(const VmIdentity& vm, std::span<const Fact> facts,
                      std::span<const std::string> warnings, JsonLayout layout) {
  Json info = Json::object();
  for (const Fact& fact : facts) {
    Json entry = {{"value", fact.error ? Json() : value_json(fact.value, fact.type)},
                  {"found_by", fact.found_by.empty() ? Json() : text(fact.found_by)}};
    if (fact.error)
      entry["error"] = {{"code", std::string(base::name(fact.error->code))},
                        {"message", text(fact.error->message)}};
    info[std::string(fact.name)] = std::move(entry);
  }
  Json object = {{"schema", 1}, {"vm", vm_json(vm)}};
  object["info"] = std::move(info);
  object["warnings"] = texts_json(warnings);
  return json_text(object, layout);
}

std::string rate_json(const RateReport& report, JsonLayout layout) {
  Json object = subject_json(report);
  object["seconds"] = report.seconds;
  object["per_second"] = report.per_second;
  object["latency_ns"] = {{"p50", report.latency_ns.p50},
                          {"p90", report.latency_ns.p90},
                          {"p99", report.latency_ns.p99},
                          {"max", report.latency_ns.max}};
  object["views"] = report.views;
  object["reached"] = report.reached;
  object["rows"] = report.rows;
  object["collects"] = report.collects;
  object["reads"] = report.reads;
  object["bytes"] = report.bytes;
  object["stopped_ns"] = report.stopped_ns;
  object["drained_ns"] = report.drained_ns;
  object["cpu_ns"] = report.cpu_ns;
  object["vmm_cpu_ns"] = or_null(report.vmm_cpu_ns);
  object["written_bytes"] = or_null(report.written_bytes);
  object["warnings"] = texts_json(report.warnings);
  return json_text(object, layout);
}

std::string rfc3339(std::chrono::sys_time<std::chrono::nanoseconds> time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss<nanoseconds> clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace vitrine::cli
