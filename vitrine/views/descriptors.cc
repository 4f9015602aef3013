#include "vitrine/views/descriptors.h"

namespace vitrine::views {

Descriptors Descriptors::attach(Resolver& at) {
  Descriptors descriptors;
  descriptors.files_ = at("task_struct", "files");
  descriptors.table_ = at("files_struct", "fdt");
  descriptors.max_ = at("fdtable", "max_fds");
  descriptors.array_ = at("fdtable", "fd");
  descriptors.open_ = at("fdtable", "open_fds");
  descriptors.close_on_exec_ = at("fdtable", "close_on_exec");
  return descriptors;
}

}  // namespace vitrine::views
