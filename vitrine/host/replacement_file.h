// A file in memory that a process was made to make (replacing_task.h), opened by number.
//
// The process is not trusted: it may have put another file there, one that it may not write to
// itself. So what lies there is looked at before it is opened for writing, and known by its inode
// afterwards.
//
// Thread contract: free functions. Effect: none on the process.
#pragma once

#include <sys/types.h>

#include <optional>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"

namespace vitrine::host {

struct ReplacementFile {
  base::FileDescriptor file;  // for reading and writing
  ino_t inode = 0;            // among the files of memfd_create(2)
};

// Opens a process's descriptor anew: the file with that inode or, without one, a new and empty one.
// Errors: `inconsistent` where something else lies there; as open(2) and memfd_create(2).
base::Result<ReplacementFile> open_replacement_file(pid_t process, int number,
                                                    std::optional<ino_t> inode);

}  // namespace vitrine::host
