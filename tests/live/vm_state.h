// What of a VM a technique may change while it is used and has to set back.
//
// Thread contract: free functions; they occupy the VM's QMP socket for a moment.
#pragma once

#include "tests/live/guest.h"
#include "tests/live/qmp_client.h"
#include "vitrine/base/json.h"

namespace vitrine::live {

// Run state, migration capabilities and parameters, whether a migration is under way, descriptor
// sets, character devices but QEMU's own nameless ones, the pipes and unnamed files that the VMM
// has open, its children and copies, and those of its threads that are traced.
nlohmann::json vm_state(QmpClient& qmp, const Guest& guest);

// The same and the mode of the debugger stub, for a VM that was started without one. Waits for the
// socket to be free. Stops the guest for a moment, if it runs.
nlohmann::json vm_state(const Guest& guest);

// The techniques of the taxonomy that are usable on every VM of the tests.
inline const std::vector<std::string>& techniques_on_any_vm() {
  static const std::vector<std::string> ids{
      "process-vm", "proc-mem", "fork", "background-snapshot", "dump", "migrate-file",
      "pmemsave",   "gdb",      "qmp"};
  return ids;
}

// What `vitrine ps VM` is to be asked with to use each of these, and to stop the VM in each way.
inline const std::vector<std::string>& ways_on_any_vm() {
  static const std::vector<std::string> ways = [] {
    std::vector<std::string> all{"--pause=vmm", "--pause=freeze"};
    for (const std::string& id : techniques_on_any_vm()) all.push_back("--technique=" + id);
    return all;
  }();
  return ways;
}

// A name for a parameterised test.
inline std::string test_name(std::string id) {
  std::erase_if(id, [](char c) { return c == '-' || c == '='; });
  return id;
}

}  // namespace vitrine::live
