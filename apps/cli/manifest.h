// The manifest of a memory image: what it is of, how it was made, and how to check that it is
// whole. It stands beside the image as FILE.json.
//
// Thread contract: pure functions; nothing is printed here.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/json.h"
#include "apps/cli/report.h"
#include "vitrine/images/image_chain.h"
#include "vitrine/images/snapshot.h"

namespace vitrine::cli {

// What an incremental image builds on.
struct ManifestSince {
  std::string file;  // relative to the image's folder
  std::string sha256;
  std::string_view how;  // what told the changed pages: "frames", or "contents" of both
};

struct Manifest {
  std::string host;  // where the snapshot was taken
  std::chrono::sys_time<std::chrono::nanoseconds> started = {};
  std::chrono::sys_time<std::chrono::nanoseconds> ended = {};
  VmIdentity vm;
  std::string uuid;  // of the VM; empty if it has none
  KernelIdentity kernel;
  std::string_view technique;
  std::string_view atomic;              // as in an observation's consistency
  std::uint64_t stopped_ns = 0;         // how long the guest was stopped
  std::uint64_t drained_ns = 0;         // of that, until its disks were at rest
  std::size_t processors = 0;           // vCPUs whose registers the image holds
  bool registers_same_instant = false;  // as the memory
  std::string file;                     // the image's name, without folders
  images::Format format = images::Format::raw;
  images::Omissions omissions;
  std::optional<ManifestSince> since;  // nothing: the image is whole
  images::SnapshotReport report;
  std::vector<std::string> warnings;
};

std::string manifest_json(const Manifest& manifest, JsonLayout layout);

// A whole image made of an incremental one and those it builds on.
struct MergedImage {
  std::vector<images::ChainLink> from;  // the oldest first
  std::chrono::sys_time<std::chrono::nanoseconds> at = {};
  std::string file;
  images::Format format = images::Format::elf;
  std::vector<std::string> skip;  // what it was made of left out, and what it leaves out itself
  std::vector<std::string> warnings;
  images::SnapshotReport report;
};

// Its manifest: `newest`, that of the newest image it was made of, but for the image itself.
std::string merged_json(const MergedImage& merged, std::string_view newest, JsonLayout layout);
std::string merged_text(const MergedImage& merged);

// The same for people: size before and after, what was left out, and the digest.
std::string manifest_text(const Manifest& manifest);

// A bar of `width` columns at most, e.g. "[######....]  60 %  614.4 MiB of 1.0 GiB".
std::string progress_text(const images::SnapshotProgress& progress, std::size_t width);

}  // namespace vitrine::cli
