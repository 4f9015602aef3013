// What of a VM the techniques that ask its manager may change: for comparing before and after.
//
// Thread contract: free functions; they occupy the VM's QMP socket, and connecting to a debugger
// stub stops the guest for a moment.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/live/guest.h"
#include "tests/live/qmp_client.h"

namespace vitrine::live {

// Run state, character devices but QEMU's own nameless ones, and descriptors it was handed.
nlohmann::json manager_state(QmpClient& qmp);

// Whether the debugger stub that listens there would read guest-physical memory; the guest goes on
// afterwards if it ran. Throws std::runtime_error if the stub does not answer.
bool physical_mode(QmpClient& qmp, const std::filesystem::path& stub);

// The same through a stub that is opened for that and closed again.
bool physical_mode(QmpClient& qmp, const Guest& guest);

// Leaves the stub that listens there in that mode.
void set_physical_mode(QmpClient& qmp, const std::filesystem::path& stub, bool physical);

}  // namespace vitrine::live
