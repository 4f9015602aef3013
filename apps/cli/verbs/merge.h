// vitrine snapshot --merge: a whole image made of an incremental one and those it builds on.
//
// Thread contract: one thread.
#pragma once

#include <filesystem>

#include "apps/cli/error.h"
#include "vitrine/images/image_writer.h"

namespace vitrine::cli {

struct MergeArguments {
  std::filesystem::path newest;  // the incremental image; the others are found by its manifest
  std::filesystem::path output;
  images::Format format = images::Format::elf;
  images::Omissions omissions;
  bool force = false;
  bool json = false;
};

Exit merge_images(const MergeArguments& arguments);

}  // namespace vitrine::cli
