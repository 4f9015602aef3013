// A file in memory that holds what a test says, open for reading.
//
// Thread contract: any thread.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "vitrine/base/file_descriptor.h"

namespace vitrine::memory::testing {

inline base::FileDescriptor file_of(std::string_view content) {
  base::FileDescriptor file(memfd_create("content", MFD_CLOEXEC));
  EXPECT_EQ(write(file.get(), content.data(), content.size()),
            static_cast<ssize_t>(content.size()));
  return file;
}

// The bytes of a value as it stands in memory, little-endian.
template <class T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace vitrine::memory::testing
