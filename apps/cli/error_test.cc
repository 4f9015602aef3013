#include "apps/cli/error.h"

#include <gtest/gtest.h>

#include <vector>

#include "vitrine/base/json.h"

namespace vitrine::cli {
namespace {

TEST(Error, TellsPeopleTheCauseAndTheRemedy) {
  base::Error error{base::Code::denied, "memory of \x1b[2J process 7 cannot be read",
                    "run it as root"};
  error.call = "process_vm_readv";
  error.address = 0x1000;
  EXPECT_EQ(
      error_text(error),
      "vitrine: memory of \\x1b[2J process 7 cannot be read (at 0x1000) (in process_vm_readv)\n"
      "  run it as root\n");
  EXPECT_EQ(error_text({base::Code::absent, "no such VM"}), "vitrine: no such VM\n");
  EXPECT_EQ(warning_text("a\nb"), "vitrine: warning: a\\nb\n");
}

TEST(Error, TellsProgramsInOneLine) {
  base::Error error{base::Code::denied, "no \xff", "ask"};
  error.call = "ptrace";
  error.address = 0xffff888000000000;
  EXPECT_EQ(error_json(error),
            R"({"schema":1,"error":{"code":"denied","message":"no \\xff","remedy":"ask",)"
            R"("address":"0xffff888000000000","call":"ptrace"}})"
            "\n");
  const auto plain = nlohmann::json::parse(error_json({base::Code::absent, "no such VM"}));
  EXPECT_TRUE(plain["error"]["remedy"].is_null());
  EXPECT_FALSE(plain["error"].contains("address") || plain["error"].contains("call"));
}

TEST(Error, ExitStatus) {
  EXPECT_EQ(exit_of(base::Error{base::Code::invalid, ""}), Exit::wrong_usage);
  EXPECT_EQ(exit_of(base::Error{base::Code::ambiguous, ""}), Exit::failed);
  std::vector<views::Row> rows(2);
  EXPECT_EQ(exit_of(rows), Exit::complete);
  rows[1].errors = {{"comm", base::Code::unreadable, "swapped out"}};
  EXPECT_EQ(exit_of(rows), Exit::partial);
  EXPECT_EQ(static_cast<int>(Exit::partial), 3);
}

}  // namespace
}  // namespace vitrine::cli
