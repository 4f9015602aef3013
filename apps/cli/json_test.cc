#include "apps/cli/json.h"

#include <gtest/gtest.h>

#include "apps/cli/escape.h"
#include "vitrine/base/json.h"

namespace vitrine::cli {
namespace {

using views::Type;

const std::vector<views::Column> kJsonColumns = {
    {"pid", Type::integer},           {"comm", Type::text},       {"task", Type::address},
    {"kernel_thread", Type::boolean}, {"rss_bytes", Type::bytes}, {"cmdline", Type::text}};

views::Row sample_row() {
  return {{std::int64_t{-1}, std::string("a\xff\\\x1b"), std::uint64_t{0xffff888000000000}, true,
           std::uint64_t{18446744073709551615u}, std::monostate{}},
          {{"cmdline", base::Code::unreadable, "swapped out"}}};
}

ObservationReport sample_report() {
  ObservationReport report;
  report.vm = {"guest", 42, "pid"};
  report.kernel = KernelIdentity{"6.1.0", std::nullopt};
  report.view = "processes";
  report.technique = "map";
  report.observation.started = std::chrono::sys_time<std::chrono::nanoseconds>(
      std::chrono::nanoseconds(1'700'000'000'000'000'001));
  report.observation.duration_ns = 5;
  report.observation.consistency = {
      consistency::Atomic::unchanged, consistency::Quiescent::yes, 2, {"tasklist_lock"}};
  report.warnings = {"w"};
  return report;
}

TEST(Json, ObservationFollowsTheContract) {
  const std::vector<views::Row> rows = {sample_row()};
  EXPECT_EQ(
      observation_json(sample_report(), kJsonColumns, rows, JsonLayout::line),
      R"({"schema":1,"vm":{"name":"guest","pid":42,"source":"pid"},)"
      R"("kernel":{"release":"6.1.0","build_id":null},"view":"processes","technique":"map",)"
      R"("observation":{"started":"2023-11-14T22:13:20.000000001Z","duration_ns":5,"reads":0,)"
      R"("bytes":0,"stopped_ns":0,"drained_ns":0,"consistency":{"atomic":"unchanged","quiescent":"yes",)"
      R"("collects":2,"held":["tasklist_lock"]}},"rows":[{"pid":-1,)"
      R"("comm":"a\\xff\\\\\u001b","task":"0xffff888000000000","kernel_thread":true,)"
      R"("rss_bytes":18446744073709551615,"cmdline":null,"errors":[{"field":"cmdline",)"
      R"("code":"unreadable","message":"swapped out"}]}],"warnings":["w"]})"
      "\n");
}

TEST(Json, WhatIsUnknownIsNull) {
  const auto object = nlohmann::json::parse(
      observation_json(ObservationReport{}, kJsonColumns, {}, JsonLayout::line));
  EXPECT_TRUE(object["kernel"].is_null());
  EXPECT_TRUE(object["vm"]["name"].is_null() && object["vm"]["pid"].is_null());
  EXPECT_EQ(object["observation"]["consistency"]["atomic"], "unknown");
  EXPECT_EQ(object["rows"], nlohmann::json::array());
}

TEST(Json, GuestTextIsAsciiAndComesBackWhole) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  all += "\u202e日\\x41";
  views::Row row = sample_row();
  row.values[1] = all;
  const std::vector<views::Row> rows = {row};
  const std::string json =
      list_json("rows", std::nullopt, kJsonColumns, rows, JsonLayout::indented);
  for (const char c : json) ASSERT_TRUE(c == '\n' || (c >= ' ' && c < 0x7f));
  const auto object = nlohmann::json::parse(json);
  EXPECT_EQ(from_json(object["rows"][0]["comm"].get<std::string>()), all);
}

TEST(Json, Lists) {
  EXPECT_EQ(list_json("vms", std::nullopt, kJsonColumns, {}, JsonLayout::line),
            "{\"schema\":1,\"vms\":[]}\n");
  EXPECT_EQ(
      list_json("techniques", VmIdentity{{}, 7, "pid"}, kJsonColumns, {}, JsonLayout::line),
      "{\"schema\":1,\"vm\":{\"name\":null,\"pid\":7,\"source\":\"pid\"},\"techniques\":[]}\n");
}

TEST(Json, InfoSaysHowEachFactWasFound) {
  const std::vector<Fact> facts = {
      {"release", Type::text, std::string("6.1.0"), "VMCOREINFO"},
      {"cpus", Type::integer, {}, "", base::Error{base::Code::absent, "no symbol"}}};
  EXPECT_EQ(info_json({"g", 7, "pid"}, facts, {}, JsonLayout::line),
            R"({"schema":1,"vm":{"name":"g","pid":7,"source":"pid"},"info":{)"
            R"("release":{"value":"6.1.0","found_by":"VMCOREINFO"},"cpus":{"value":null,)"
            R"("found_by":null,"error":{"code":"absent","message":"no symbol"}}},"warnings":[]})"
            "\n");
}

TEST(Json, RateHasTheContractsKeys) {
  RateReport report;
  report.per_second = 5000.5;
  report.latency_ns = {1, 2, 3, 4};
  const auto object = nlohmann::json::parse(rate_json(report, JsonLayout::line));
  for (const char* key : {"per_second", "latency_ns", "views", "rows", "reads", "bytes",
                          "stopped_ns", "drained_ns", "cpu_ns", "vmm_cpu_ns", "written_bytes"})
    EXPECT_TRUE(object.contains(key)) << key;
  EXPECT_EQ(object["per_second"], 5000.5);
  EXPECT_EQ(object["latency_ns"]["p99"], 3);
  EXPECT_TRUE(object["vmm_cpu_ns"].is_null());
}

TEST(Json, TimesBeforeTheEpoch) {
  using std::chrono::nanoseconds;
  const auto at = [](std::int64_t ns) {
    return std::chrono::sys_time<nanoseconds>(nanoseconds(ns));
  };
  EXPECT_EQ(rfc3339(at(0)), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(rfc3339(at(-1)), "1969-12-31T23:59:59.999999999Z");
}

TEST(Json, LayoutFollowsTheTerminal) {
  EXPECT_EQ(json_layout({.interactive = true}, false), JsonLayout::indented);
  EXPECT_EQ(json_layout({.interactive = true}, true), JsonLayout::line);
  EXPECT_EQ(json_layout({}, false), JsonLayout::line);
}

}  // namespace
}  // namespace vitrine::cli
