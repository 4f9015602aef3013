#include "apps/cli/error.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/cli/escape.h"
#include "apps/cli/json_text.h"
#include "vitrine/base/address.h"
#include "vitrine/base/json.h"

namespace vitrine::cli {

Exit exit_of(const base::Error& error) {
  return error.code == base::Code::invalid ? Exit::wrong_usage : Exit::failed;
}

Exit exit_of(std::span<const views::Row> rows) {
  const bool partial = std::any_of(rows.begin(), rows.end(),
                                   [](const views::Row& row) { return !row.errors.empty(); });
  return partial ? Exit::partial : Exit::complete;
}

std::string error_text(const base::Error& error) {
  base::Error cause = error;
  cause.remedy.clear();
  std::string text = fmt::format("vitrine: {}\n", for_terminal(base::to_string(cause)));
  if (!error.remedy.empty()) text += fmt::format("  {}\n", for_terminal(error.remedy));
  return text;
}

nlohmann::ordered_json error_object(const base::Error& error) {
  nlohmann::ordered_json body;
  body["code"] = std::string(base::name(error.code));
  body["message"] = for_json(error.message);
  body["remedy"] = nullptr;
  if (!error.remedy.empty()) body["remedy"] = for_json(error.remedy);
  if (error.address) body["address"] = base::to_hex(*error.address);
  if (!error.call.empty()) body["call"] = for_json(error.call);
  return body;
}

std::string error_json(const base::Error& error) {
  return json_text({{"schema", 1}, {"error", error_object(error)}}, JsonLayout::line);
}

std::string warning_text(std::string_view message) {
  return fmt::format("vitrine: warning: {}\n", for_terminal(message));
}

}  // namespace vitrine::cli
