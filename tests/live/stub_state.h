// Whether a VM's debugger stub reads guest-physical memory, for comparing before and after.
//
// Thread contract: free functions; connecting to a debugger stub stops the guest for a moment.
#pragma once

#include <filesystem>

#include "tests/live/guest.h"
#include "tests/live/qmp_client.h"

namespace vitrine::live {

// Whether the debugger stub that listens there would read guest-physical memory; the guest goes on
// afterwards if it ran. Throws std::runtime_error if the stub does not answer.
bool physical_mode(QmpClient& qmp, const std::filesystem::path& stub);

// The same through a stub that is opened for that and closed again.
bool physical_mode(QmpClient& qmp, const Guest& guest);

// Leaves the stub that listens there in that mode.
void set_physical_mode(QmpClient& qmp, const std::filesystem::path& stub, bool physical);

}  // namespace vitrine::live
