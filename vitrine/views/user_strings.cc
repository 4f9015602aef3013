#include "vitrine/views/user_strings.h"

namespace vitrine::views {

UserStrings UserStrings::attach(Resolver& at) {
  UserStrings strings;
  strings.tables_ = at("mm_struct", "pgd");
  strings.argument_start_ = at("mm_struct", "arg_start");
  strings.argument_end_ = at("mm_struct", "arg_end");
  strings.environment_start_ = at("mm_struct", "env_start");
  strings.environment_end_ = at("mm_struct", "env_end");
  return strings;
}

}  // namespace vitrine::views
