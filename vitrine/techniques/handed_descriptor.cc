#include "vitrine/techniques/handed_descriptor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace vitrine::techniques {
namespace {

bool close_named(vmm::Qmp& qmp, std::string_view name) {
  return answered(qmp.execute("closefd", fmt::format(R"({{"fdname":"{}"}})", name)));
}

bool remove_numbered(vmm::Qmp& qmp, std::string_view set) {
  return answered(qmp.execute("remove-fd", fmt::format(R"({{"fdset-id":{}}})", set)));
}

}  // namespace

bool answered(const base::Result<std::string>& reply) {
  return reply || reply.error().code != base::Code::timeout;
}

base::Result<NamedDescriptor> hand_over_named(vmm::Intervention& intervention, int descriptor) {
  const std::string name = fmt::format("vitrine-{}", getpid());
  auto noted = intervention.note(&close_named, name);
  if (!noted) return base::fail(noted.error());
  auto given = intervention.qmp().execute_with(descriptor, "getfd",
                                               fmt::format(R"({{"fdname":"{}"}})", name));
  if (!given) return base::fail(given.error());
  return NamedDescriptor{"fd:" + name, std::move(*noted)};
}

base::Result<NumberedDescriptor> hand_over_numbered(vmm::Intervention& intervention,
                                                    int descriptor) {
  // A set of our own, far from the numbers that QEMU and others choose.
  const std::string set = std::to_string(0x5669'0000'0000 + getpid());
  auto noted = intervention.note(&remove_numbered, set);
  if (!noted) return base::fail(noted.error());
  auto given = intervention.qmp().execute_with(descriptor, "add-fd",
                                               fmt::format(R"({{"fdset-id":{}}})", set));
  if (!given) return base::fail(given.error());
  const auto reply = nlohmann::json::parse(*given, nullptr, /*allow_exceptions=*/false);
  if (!reply.is_object() || !reply.contains("fd") || !reply["fd"].is_number_unsigned())
    return base::fail(base::Code::inconsistent, "QEMU does not tell the number of a descriptor");
  return NumberedDescriptor{fmt::format("/proc/self/fd/{}", reply["fd"].get<unsigned>()),
                            std::move(*noted)};
}

}  // namespace vitrine::techniques
