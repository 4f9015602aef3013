#include "vitrine/session/source.h"

#include <system_error>

#include "vitrine/host/process.h"

namespace vitrine::session {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::fail;

constexpr std::string_view kFile = "file:";

base::Result<Source> find_image(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (!fs::exists(status))
    return failed && failed != std::errc::no_such_file_or_directory
               ? base::fail_errno(failed.value(), "stat", "cannot look at " + path.string())
               : fail(Code::absent, "there is no file " + path.string());
  if (!fs::is_regular_file(status))
    return fail(Code::invalid, path.string() + " is no regular file, so no memory image",
                "name a VM or a memory image");
  return Source(ImageSource{path});
}

}  // namespace

bool Source::lives() const { return machine() == nullptr || host::alive(machine()->process); }

base::Result<Source> find_source(const std::string& spec) {
  if (spec.starts_with(kFile)) return find_image(spec.substr(kFile.size()));
  auto machine = vmm::find(spec);
  if (machine) return Source(std::move(*machine));
  // Several VMs of that name are none to choose from, and no reason to take something else.
  if (machine.error().code != Code::ambiguous)
    if (auto image = find_image(spec)) return image;
  return fail(machine.error());
}

}  // namespace vitrine::session
