// What the keeper of a memory replacement does (memory_replacement.h).
//
// Thread contract: of the keeper's only thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "vitrine/host/host_range.h"
#include "vitrine/host/keeper.h"
#include "vitrine/host/mappings.h"
#include "vitrine/host/memory_replacement.h"
#include "vitrine/host/page_transfer.h"
#include "vitrine/host/remote_errand.h"
#include "vitrine/host/replaceable_memory.h"
#include "vitrine/host/replacement_file.h"

namespace vitrine::host {

class ReplacingTask final : public Task {
 public:
  static constexpr std::string_view kPrepare = "prepare";  // then ranges as in ranges_text
  static constexpr std::string_view kReplace = "replace";
  // then the copy's process id, the most pages to copy, and the most milliseconds to do so

  explicit ReplacingTask(const ProcessIdentity& process) : process_(process) {}
  ~ReplacingTask() override;
  ReplacingTask(const ReplacingTask&) = delete;
  ReplacingTask& operator=(const ReplacingTask&) = delete;

  Answer answer(std::string_view request) override;
  bool finished() const override { return stuck_; }

 private:
  struct Moved {
    ReplaceablePiece piece;
    base::HostVirtual to;  // where the memory is meanwhile
  };

  Answer prepare(std::vector<HostRange> ranges);
  Answer replace(pid_t copy, const MemoryReplacement::Limits& limits);
  base::Result<RemoteErrand> stop();
  void let_go(RemoteErrand& errand);
  base::Result<void> make_files(RemoteCalls& calls);
  base::Result<void> open_files();
  void discard_files(RemoteCalls& calls);
  void close_files(RemoteCalls& calls);
  base::Result<void> undisturbed(const RemoteErrand& errand) const;
  base::Result<std::uint64_t> copy_changed(pid_t copy, const TransferLimits& limits) const;
  base::Result<void> exchange(RemoteCalls& calls);
  base::Result<void> exchange(RemoteCalls& calls, const ReplaceablePiece& piece);
  base::Result<void> map_file(RemoteCalls& calls, const ReplaceablePiece& piece);
  base::Result<void> move_back(RemoteCalls& calls);
  base::Result<std::vector<Mapping>> mapped() const;

  ProcessIdentity process_;
  std::vector<HostRange> ranges_;
  std::vector<ReplaceablePiece> pieces_;
  std::vector<Mapping> mapped_;  // what was mapped there as the files were made
  base::HostVirtual syscall_;
  std::vector<int> numbers_;            // of the files, in the process; one per range
  std::vector<ReplacementFile> files_;  // the same, ours
  std::vector<Moved> moved_;
  bool replaced_ = false;
  bool stuck_ = false;
};

}  // namespace vitrine::host
