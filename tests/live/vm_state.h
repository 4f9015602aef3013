// What of a VM a technique may change while it is used and has to set back.
//
// Thread contract: free functions; they occupy the VM's QMP socket for a moment.
#pragma once

#include <nlohmann/json.hpp>

#include "tests/live/guest.h"

namespace vitrine::live {

// Run state, migration capabilities and parameters, descriptor sets, whether a migration is under
// way, and the pipes and unnamed files that the VMM has open. Waits for the socket to be free.
nlohmann::json vm_state(Guest& guest);

// The techniques of the taxonomy that are usable on every VM of the tests.
inline const std::vector<std::string>& techniques_on_any_vm() {
  static const std::vector<std::string> ids{"process-vm", "proc-mem",     "pmemsave",
                                            "dump",       "migrate-file", "background-snapshot"};
  return ids;
}

// A name for a parameterised test.
inline std::string test_name(std::string id) {
  std::erase(id, '-');
  return id;
}

}  // namespace vitrine::live
