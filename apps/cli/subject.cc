#include "apps/cli/subject.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "apps/cli/image_files.h"
#include "apps/cli/stored_manifest.h"
#include "vitrine/images/file_digest.h"
#include "vitrine/images/image_file.h"

namespace vitrine::cli {

using base::Code;
using base::fail;

base::Result<session::Source> find_subject(const std::string& spec) {
  auto source = session::find_source(spec);
  if (!source || source->image() == nullptr) return source;
  session::ImageSource& image = *source->image();
  if (images::is_incremental(image.file)) {
    auto chain = read_chain(image.file);
    if (!chain) return fail(chain.error());
    image.chain = std::move(chain->links);
  }
  // No manifest, or one that is no good, says nothing: `info` tells that.
  if (const auto manifest = read_manifest(image.file)) {
    std::error_code failed;
    const bool same_size = std::filesystem::file_size(image.file, failed) == manifest->bytes;
    image.one_instant = manifest->one_instant && same_size && !failed;
  }
  return source;
}

base::Result<vmm::Machine> find_machine(const std::string& spec, const std::string& what) {
  auto source = session::find_source(spec);
  if (!source) return fail(source.error());
  if (source->machine() != nullptr) return *source->machine();
  return fail(Code::invalid, what + " is of VMs, and " + spec + " is a memory image",
              "name a VM: vitrine ls lists them");
}

VmIdentity identity(const vmm::Machine& machine, const std::string& spec) {
  VmIdentity vm;
  if (!machine.name.empty()) vm.name = machine.name;
  vm.pid = machine.process.pid;
  const bool decided = std::ranges::any_of(
      std::initializer_list<std::string_view>{"pid:", "name:", "qmp:", "libvirt:"},
      [&spec](std::string_view prefix) { return spec.starts_with(prefix); });
  if (decided)
    vm.source = spec;
  else if (spec == std::to_string(machine.process.pid))
    vm.source = "pid:" + spec;
  else
    vm.source = (spec == machine.name ? "name:" : "qmp:") + spec;
  return vm;
}

VmIdentity identity(const session::Session& session, const std::string& spec) {
  return session.machine() != nullptr ? identity(*session.machine(), spec)
                                      : identity(*session.image());
}

VmIdentity identity(const images::ImageFile& image) {
  VmIdentity vm;
  vm.source = "file:" + image.file.string();
  if (!image.vm_name.empty()) vm.name = image.vm_name;
  return vm;
}

Provenance provenance_of(const session::Observation& observation) {
  return {observation.started,    observation.duration_ns, observation.cost.reads,
          observation.cost.bytes, observation.stopped_ns,  observation.drained_ns,
          observation.consistency};
}

ManifestCheck check_manifest(const std::filesystem::path& image) {
  using Verdict = ManifestCheck::Verdict;
  const std::string path = manifest_path(image).string();
  const auto manifest = read_manifest(image);
  if (!manifest)
    return {manifest.error().code == Code::absent ? Verdict::missing : Verdict::damaged,
            manifest.error().message};
  const auto digest = images::file_digest(image);
  if (!digest) return {Verdict::damaged, digest.error().message};
  if (*digest == manifest->sha256)
    return {Verdict::matches, "the file's SHA-256 is the one that " + path + " tells"};
  return {Verdict::differs,
          "the file's SHA-256 is " + *digest + ", while " + path + " tells " + manifest->sha256};
}

std::string_view name(ManifestCheck::Verdict verdict) {
  constexpr std::array<std::string_view, 4> kNames{"matches", "differs", "missing", "damaged"};
  return kNames.at(static_cast<std::size_t>(verdict));
}

}  // namespace vitrine::cli
