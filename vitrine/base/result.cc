#include "vitrine/base/result.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include "vitrine/base/address.h"

namespace vitrine::base {

std::string_view name(Code code) {
  switch (code) {
    case Code::absent:
      return "absent";
    case Code::unreadable:
      return "unreadable";
    case Code::unsupported:
      return "unsupported";
    case Code::inconsistent:
      return "inconsistent";
    case Code::denied:
      return "denied";
    case Code::ambiguous:
      return "ambiguous";
    case Code::timeout:
      return "timeout";
    case Code::gone:
      return "gone";
    case Code::invalid:
      return "invalid";
  }
  return "unreadable";
}

std::string to_string(const Error& error) {
  std::string text = error.message;
  if (error.address) text += " (at " + to_hex(*error.address) + ")";
  if (!error.call.empty()) text += " (in " + error.call + ")";
  if (!error.remedy.empty()) text += "; " + error.remedy;
  return text;
}

Error about(std::string_view subject, Error error) {
  error.message = std::string(subject) + ": " + error.message;
  return error;
}

tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

tl::unexpected<Error> fail(Code code, std::string message, std::string remedy) {
  return fail(Error{code, std::move(message), std::move(remedy)});
}

tl::unexpected<Error> fail_errno(int error_number, std::string call, std::string message,
                                 std::string remedy) {
  Code code = Code::unreadable;
  if (error_number == EPERM || error_number == EACCES) code = Code::denied;
  if (error_number == ESRCH) code = Code::gone;
  if (error_number == ENOENT) code = Code::absent;
  Error error{code, std::move(message), std::move(remedy)};
  error.message += ": " + std::generic_category().message(error_number);
  error.call = std::move(call);
  return fail(std::move(error));
}

}  // namespace vitrine::base
