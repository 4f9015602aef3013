// The one error type of the library, and the result that carries it.
//
// The library never prints, never exits and never throws across a layer: what can fail returns a
// Result. An error names its cause and, where there is one, the remedy.
//
// Thread contract: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace vitrine::base {

enum class Code {
  absent,        // it does not exist: no such VM, no such symbol, a page that was never populated
  unreadable,    // it exists, but could not be read now
  unsupported,   // this guest, hypervisor or host is one we cannot handle
  inconsistent,  // what was read contradicts itself or was damaged
  denied,        // the host refuses: a right is missing
  ambiguous,     // several things fit and none may be guessed
  timeout,       // no answer within the time allowed
  gone,          // it was there and ended: the VMM exited, the guest rebooted
  invalid,       // the caller asked for something that makes no sense
};

// The code's name as the contract's JSON writes it, e.g. "absent".
std::string_view name(Code code);

struct Error {
  Code code = Code::unreadable;
  std::string message;      // the cause, one sentence without a final full stop
  std::string remedy = {};  // what the user can do; empty where nothing can be done
  std::optional<std::uint64_t> address = {};  // the guest address concerned
  std::string call = {};                      // the host call concerned, e.g. "process_vm_readv"
};

// "message (at ADDRESS, in CALL); remedy", for people.
std::string to_string(const Error& error);

// The same, beginning with what it is about: "SUBJECT: MESSAGE".
Error about(std::string_view subject, Error error);

template <class T>
using Result = tl::expected<T, Error>;

// `return fail(Code::absent, "...")` in any function that returns a Result.
tl::unexpected<Error> fail(Code code, std::string message, std::string remedy = {});
tl::unexpected<Error> fail(Error error);
// The same with errno's text after the message; EPERM and EACCES become `denied`, ESRCH `gone`,
// ENOENT `absent`, whatever else `unreadable`.
tl::unexpected<Error> fail_errno(int error_number, std::string call, std::string message,
                                 std::string remedy = {});

}  // namespace vitrine::base
