// What a session looks at: a VM on this host, or a memory image that was taken of one.
//
// Thread contract: plain values; independent calls may run in parallel.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/images/image_chain.h"
#include "vitrine/vmm/machine.h"

namespace vitrine::session {

struct ImageSource {
  std::filesystem::path file;
  // What is known of the image beside it, from its manifest:
  std::vector<images::ChainLink> chain =
      {};                    // what an incremental one builds on, itself at the end
  bool one_instant = false;  // the guest stood still for it, or it is of a copy
};

class Source {
 public:
  // NOLINTBEGIN(google-explicit-constructor): each is a source
  Source(vmm::Machine machine) : which_(std::move(machine)) {}
  Source(ImageSource image) : which_(std::move(image)) {}
  // NOLINTEND(google-explicit-constructor)

  // Null: it is the other one.
  const vmm::Machine* machine() const { return std::get_if<vmm::Machine>(&which_); }
  const ImageSource* image() const { return std::get_if<ImageSource>(&which_); }
  ImageSource* image() { return std::get_if<ImageSource>(&which_); }

  // Whether it is still there: a VM may end, an image is what it is.
  bool lives() const;

 private:
  std::variant<vmm::Machine, ImageSource> which_;
};

// What a user means: a process id, a name, a QMP socket's path or a memory image's path, tried in
// that order; "pid:", "name:", "qmp:", "libvirt:" and "file:" before it decide. Errors: as
// vmm::find; `absent` and `invalid` where the file of "file:" is none.
base::Result<Source> find_source(const std::string& spec);

}  // namespace vitrine::session
