#include "vitrine/views/task_state.h"

#include <gtest/gtest.h>

namespace vitrine::views {
namespace {

TEST(TaskStateLetter, IsTheOneThatPsShows) {
  EXPECT_EQ(task_state_letter(0x0000, 0), 'R');
  EXPECT_EQ(task_state_letter(0x0001, 0), 'S');
  EXPECT_EQ(task_state_letter(0x0002, 0), 'D');
  EXPECT_EQ(task_state_letter(0x0402, 0), 'I');
  EXPECT_EQ(task_state_letter(0x0102, 0), 'D');  // TASK_KILLABLE
  EXPECT_EQ(task_state_letter(0x0004, 0), 'T');
  EXPECT_EQ(task_state_letter(0x0008, 0), 't');
  EXPECT_EQ(task_state_letter(0x0080, 0x0020), 'Z');
  EXPECT_EQ(task_state_letter(0x0080, 0x0010), 'X');
  EXPECT_EQ(task_state_letter(0x0040, 0), 'P');
  EXPECT_EQ(task_state_letter(0x8000, 0), 'D');  // frozen
}

TEST(TaskStateLetter, HasALetterForEveryHostileValue) {
  for (std::uint32_t state = 0; state < 0x20000; ++state)
    EXPECT_NE(task_state_letter(state, state * 2654435761u), '\0');
}

}  // namespace
}  // namespace vitrine::views
