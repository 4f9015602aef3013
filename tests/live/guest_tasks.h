// The guest's own list of its tasks against the rows of `vitrine ps`.
//
// Thread contract: free functions on plain values.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/live/guest.h"
#include "vitrine/base/json.h"

namespace vitrine::live {

enum class Tasks { processes, threads };

using TaskList = std::map<int, nlohmann::json>;  // by the task's own id

// What the guest's /proc says, with the fields named and encoded as in the rows of `ps`; strings
// as raw bytes. Holds the listing process itself, too.
TaskList guest_tasks(Guest& guest, Tasks which);

// The bytes that a string of the JSON contract stands for: \\ is a backslash, \xHH a byte.
std::string raw_bytes(const std::string& text);

// How the rows differ from what the guest said before and after they were collected. A task is
// compared in the fields that were the same both times; one that came or went may be missing.
std::vector<std::string> differences(const nlohmann::json& rows, const TaskList& before,
                                     const TaskList& after);

// The rows of an answer of `vitrine ps` by process, without what changes by itself even in a quiet
// guest: for comparing one technique with another.
TaskList stable(const nlohmann::json& observed);

// The same of `vitrine ps VM ARGUMENTS…`.
TaskList stable_rows(const std::string& vm, const std::vector<std::string>& arguments = {});

// Runs `vitrine ps` with the arguments against the guest and compares, up to three times since
// even a quiet guest has kernel threads that wake up. Empty if the rows were right once, but for
// differences that hold one of the texts `expected`.
std::vector<std::string> compare_ps(Guest& guest, const std::vector<std::string>& arguments = {},
                                    Tasks which = Tasks::processes,
                                    const std::vector<std::string>& expected = {});

// The rows of the network namespace that a process is in, by the guest's own word.
nlohmann::json rows_of_namespace(const nlohmann::json& rows, Guest& guest, const std::string& pid);

}  // namespace vitrine::live
