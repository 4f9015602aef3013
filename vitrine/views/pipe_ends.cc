#include "vitrine/views/pipe_ends.h"

namespace vitrine::views {

PipeEnds PipeEnds::attach(const kernel::TypeLookup& types) {
  PipeEnds pipes;
  Resolver at(types);
  pipes.files_ = at("task_struct", "files");
  pipes.table_ = at("files_struct", "fdt");
  pipes.max_ = at("fdtable", "max_fds");
  pipes.array_ = at("fdtable", "fd");
  pipes.open_ = at("fdtable", "open_fds");
  pipes.mode_ = at("file", "f_mode");
  pipes.inode_ = at("file", "f_inode");
  pipes.pipe_ = at("file", "private_data");
  pipes.kind_ = at("inode", "i_mode");
  // Two queues since 5.6 (0ddad21d3e99).
  pipes.readers_ = at("pipe_inode_info", "rd_wait.head");
  pipes.writers_ = at("pipe_inode_info", "wr_wait.head");
  pipes.entry_ = at("wait_queue_entry", "entry");
  pipes.known_ = !at.error();
  return pipes;
}

}  // namespace vitrine::views
