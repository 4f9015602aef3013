// The smallest program with the library: handles an error as every function of it reports one.
#include <cstdio>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"

namespace {

vitrine::base::Result<vitrine::base::GuestPhysical> first_byte_above_the_hole(bool exists) {
  if (exists) return vitrine::base::GuestPhysical(0x1'0000'0000);
  return vitrine::base::fail(vitrine::base::Code::absent, "this VM has less than 4 GiB of RAM");
}

}  // namespace

int main() {
  const auto found = first_byte_above_the_hole(true);
  const auto missing = first_byte_above_the_hole(false);
  if (!found || missing) return 1;
  std::printf("%s\n%s\n", to_string(*found).c_str(), to_string(missing.error()).c_str());
}
